"""What a command asks for: one module an errand; `stepper` sends each to its own."""
