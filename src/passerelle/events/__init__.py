"""What has happened in a workspace, in an order that others can follow."""
