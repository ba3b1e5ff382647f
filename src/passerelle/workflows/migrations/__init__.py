"""Moving executions under way to another revision of their definition."""
