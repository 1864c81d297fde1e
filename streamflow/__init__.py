"""Durable execution on Kafka: workflows and activities in Python, with Kafka as the only service."""
