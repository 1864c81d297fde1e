"""Payloads inside events and commands: where they are, whose they are, and the codec at the processor's edge."""
