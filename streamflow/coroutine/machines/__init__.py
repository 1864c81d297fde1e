"""One small state machine per kind of operation. All that decides a transition is in the table on top of each file."""
