"""The dashboard at `/app`: serves what is built out of `web/`. All that it does goes through the public API."""
