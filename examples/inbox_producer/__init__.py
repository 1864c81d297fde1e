"""Starting, signalling and following workflows from a program that knows Kafka and nothing of streamflow."""
