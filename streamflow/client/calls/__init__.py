"""What every call is made of: the names and values that callers give, the options of a start, and where a command goes."""
