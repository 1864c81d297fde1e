"""The way over a gateway, and the words of its public API, which the gateway shares."""
