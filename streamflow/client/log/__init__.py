"""The way over a log: requests into inboxes, answers out of the replies topic, and who is there to answer."""
