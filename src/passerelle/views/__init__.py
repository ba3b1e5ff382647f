"""Saved views: addresses of the dashboard with a name, for oneself or for all of a workspace."""
