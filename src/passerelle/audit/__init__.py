"""Who did what, when, from where: a trail that is only added to, and whose entries hang together."""
