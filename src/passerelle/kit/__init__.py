"""Tools that know nothing of the product: database, HTTP, signing, clock, ids."""
