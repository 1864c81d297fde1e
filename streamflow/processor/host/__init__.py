"""What surrounds a processor: its process, its neighbours, the versions and time zones it knows, the watchdog over its steps."""
