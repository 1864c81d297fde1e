"""Commands about a namespace: its topics, queues, schedules, dead letters, and what is wrong with it."""
