"""Decisions of people: the open reviews, deciding them, and the messages to those who are to decide."""
