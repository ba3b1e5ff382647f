"""Events that are sent to endpoints of the workspace's own choice."""
