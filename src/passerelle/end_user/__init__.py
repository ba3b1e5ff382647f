"""The end user's part: the session, its pages, the widget."""
