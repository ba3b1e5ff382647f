"""`passerelle migrate-client`: finds the old API in a client's source, and says what to write instead."""
