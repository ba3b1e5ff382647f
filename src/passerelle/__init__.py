"""Passerelle runs onboarding workflows: a YAML file, a link, a result over REST."""
