"""A workspace's secrets: written, used by steps as `${secrets.NAME}`, never read back."""
