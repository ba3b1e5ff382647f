"""Workspaces and the credentials that belong to them."""
