"""Commands about workflow code: what it can do, and what it did."""
