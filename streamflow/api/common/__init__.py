"""Parts that other messages share; in `v1`."""
