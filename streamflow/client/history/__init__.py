"""A run's history in the user's hands: whole, event by event, and as a file."""
