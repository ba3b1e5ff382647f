"""A form from a JSON Schema, and back: pure functions from schema and values to fields, and from posted text to JSON."""
