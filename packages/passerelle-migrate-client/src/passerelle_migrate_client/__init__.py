"""Finds version 1 of Passerelle's API in a client's source, in nine languages, and says what to write instead."""
