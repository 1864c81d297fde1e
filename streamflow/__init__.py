"""Durable execution on Kafka: workflows and activities in Python, with Kafka as the only service."""

from importlib.metadata import version as _version_of

__version__ = _version_of("streamflow")
"""The version of this library."""
