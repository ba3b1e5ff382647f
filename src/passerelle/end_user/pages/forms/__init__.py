"""A form from a JSON Schema, and back: pure functions from values to fields, and from posted text to values."""
