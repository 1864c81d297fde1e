"""Takes tasks of a queue from the log, and tells their owners what becomes of them."""
