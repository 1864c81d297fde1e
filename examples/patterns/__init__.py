"""Shapes that workflows often have, one a file. Each runs by itself: ``python -m examples.patterns.saga_booking``."""
