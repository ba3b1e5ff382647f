"""A workspace's own tables: their fields, what each field takes, and which fields are indexed."""
