"""How a workspace looks to its end users, and which sites may show its pages or be led to."""
