"""Programs to read, run and copy from. Each folder is one, with a README; each runs as a test in tests/examples/."""
