"""Partitions come and go: taken over, restored, greeted, given away."""
