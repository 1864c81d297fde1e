"""Tools to test workflows with: in process, and against a real Kafka."""
