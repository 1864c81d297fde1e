"""Histories run again by the code of today."""
