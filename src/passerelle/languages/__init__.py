"""The words of the end users' pages and e-mails: one YAML file a language, and how the right one is chosen."""
