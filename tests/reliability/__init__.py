"""The proof of docs/reliability.md: everything that is tried against exactly-once, counted, with one command (`make faults`)."""
