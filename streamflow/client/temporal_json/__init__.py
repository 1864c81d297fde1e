"""Histories that Temporal's tools exported as JSON, read as our own events. `reader` is the way in."""
