"""Copies of a partition's store in an object store, so that a process without one need not read the whole history."""
