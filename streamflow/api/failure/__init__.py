"""Failures; in `v1`."""
