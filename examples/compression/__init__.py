"""A payload codec that compresses."""
