"""Version 1 of the API, which is deprecated: it can be deleted as a whole."""
