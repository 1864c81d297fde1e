"""Messages of a server's API; in `v1`."""
