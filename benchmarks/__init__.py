"""Measures streamflow beside the raw-Kafka floor, on this machine, in one run: ``make bench``.

Speed lives here and not in tests: machines are shared and noisy, so figures are medians of repeats with their spread, and are
read as ratios to the floor of the same run.
"""
