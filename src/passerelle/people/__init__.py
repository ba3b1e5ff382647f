"""Persons: an organization's users, what they are members of, and how they sign in."""
