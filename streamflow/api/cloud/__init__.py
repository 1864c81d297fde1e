"""Messages of the API of a cloud; in `cloudservice`."""
