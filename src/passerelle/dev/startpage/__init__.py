"""The page at `/` of `passerelle dev`: what runs, and a button to try each definition."""
