"""The end user's part of executions: what they see, fill in, send, and go back to."""
