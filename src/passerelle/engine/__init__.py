"""The engine: pure transitions, their store and their runner. Knows no HTTP."""
