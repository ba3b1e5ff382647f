"""Records of a workspace's own tables: written with their history, found by filters, imported, merged, erased."""
