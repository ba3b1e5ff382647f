"""`passerelle dev`: everything in one process, with what makes trying pleasant."""
