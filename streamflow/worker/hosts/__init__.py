"""Workers that an environment keeps by itself: for schedules, for activities without a workflow, for queues that nobody serves."""
