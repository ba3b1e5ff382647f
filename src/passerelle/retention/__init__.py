"""How long a workspace keeps what, and the work that removes what is over."""
