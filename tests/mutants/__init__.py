"""Who tests the tests: bugs planted into copies of our own code, each of which they must find."""
