"""Publishing by two persons: one proposes a revision, another one approves it."""
