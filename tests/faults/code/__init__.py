"""Two versions of workflow code, to be deployed one after the other by `tests.faults.node --module`."""
