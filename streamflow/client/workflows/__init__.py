"""Workflows in the user's hands: starts, the handle and what it does, updates, descriptions and lists."""
