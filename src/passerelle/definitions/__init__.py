"""The definition language: schema, compiler, expressions, revisions."""
