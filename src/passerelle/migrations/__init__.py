"""The database's schema and how a release brings a database to it. `README.md` says how to add to it."""
