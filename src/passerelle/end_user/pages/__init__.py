"""What the end user sees: pages by HTML that work without script, and better with it."""
