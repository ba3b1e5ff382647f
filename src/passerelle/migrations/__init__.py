"""The database's schema, as Alembic migrations. They run under the role that owns the tables."""
