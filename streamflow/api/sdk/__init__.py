"""What a run's code says of itself."""
