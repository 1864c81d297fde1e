"""Runs attempts of activities: on the event loop, in threads, in other processes."""
