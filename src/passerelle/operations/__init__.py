"""How the installation stands, for the people who run it: processes, queue, storage, mail."""
