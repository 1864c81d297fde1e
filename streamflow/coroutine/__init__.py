"""Drives workflow code: one deterministic step at a time, from inputs to intents. Pure, except for `guard`.

    Activation (inputs, time, seed) --> Instance.activate --> intents

`definition` is what a workflow class says of itself, `loop` the asyncio loop its code runs on, `operations` and
`machines/` what it has begun and not ended, `handlers` its signals and queries, `conditions` what it waits for,
`instance` ties these together, `replay` brings a fresh instance to where a history stands, `eviction` takes it down.
`guard` keeps clocks, chance and I/O out of a step. `context` is how `streamflow.workflow` finds the running instance.
"""
