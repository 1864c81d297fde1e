"""The proof on three real brokers: a bank and lists under kills, pauses and network trouble, judged by the raw topics."""
