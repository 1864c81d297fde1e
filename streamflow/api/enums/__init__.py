"""Numbers that have names; in `v1`."""
