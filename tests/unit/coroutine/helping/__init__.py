"""Modules that workflow code of tests imports."""
