"""The log in memory: for tests that skip time, and the stage of seeded simulations."""
