"""Records of a built-in table that live in a table of the company's own: how they get there, and back."""
