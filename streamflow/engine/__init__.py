"""The pure core: what a command means for a run (`decide`), what an event changes (`apply`), what must leave (`effects`).

No clock, no randomness, no input or output: time and entropy come in with `Context`. Workflow code is not run here
either; `coroutine` does that, and meets the engine only in `model`.
"""
