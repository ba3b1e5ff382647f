"""Cases, the deprecated view of the built-in table `cases`: a case is a record of it."""
