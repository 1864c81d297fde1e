"""A payload codec that encrypts."""
