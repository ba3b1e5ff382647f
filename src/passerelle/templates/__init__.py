"""Ready onboardings: whole definitions with tables, scenarios and a picture, to begin from."""
