"""Definitions as a workspace keeps them: pushed, published, never changed."""
