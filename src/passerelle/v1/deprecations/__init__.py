"""The end of version 1: who still uses it, and when it stops to answer."""
