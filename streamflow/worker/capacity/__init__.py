"""How many activities and steps at once: slots, and who hands them out."""
