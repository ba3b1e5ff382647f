"""Files: received in parts, checked by their content, kept in an object store, handed out by links that end."""
