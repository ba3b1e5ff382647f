"""Executions as the API shows them: start, status, result, list, timeline, cancel, retry, events."""
