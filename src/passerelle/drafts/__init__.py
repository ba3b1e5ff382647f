"""Drafts of definitions: texts that somebody works on, kept as typed; and the checks that an editor asks for."""
