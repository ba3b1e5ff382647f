"""Retrying and cancelling many executions: a job with a dry run, progress, and a report."""
