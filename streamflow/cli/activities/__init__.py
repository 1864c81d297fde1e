"""Commands about activities, of workflows and of none."""
