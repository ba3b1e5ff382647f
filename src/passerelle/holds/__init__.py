"""Legal holds: what nobody and nothing may remove until somebody releases it."""
