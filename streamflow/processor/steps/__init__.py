"""One run's step: the code runs, updates are judged, facts become history entries and answers."""
