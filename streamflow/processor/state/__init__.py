"""What a partition has in hand: store rows, drafts of runs, waiters, and the batch that is being made."""
