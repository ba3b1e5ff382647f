"""The pages on which people sign in, take up invitations and choose passwords."""
