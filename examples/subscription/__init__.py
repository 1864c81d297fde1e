"""A subscription that is charged each period until it is cancelled: years in a `for` loop."""
