"""Lists of names to screen against: loaded from files, kept in versions, searched in memory."""
