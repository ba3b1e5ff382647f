"""What the step kind `http` does: requests out of a configuration and values, outputs out of answers."""
