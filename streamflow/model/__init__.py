"""The facts of streamflow: frozen values that every other package speaks in, and no behaviour.

Commands ask, events state, intents are what workflow code wants, effects are what must leave because of events.
Nothing here knows a clock, a topic or a byte layout.
"""
