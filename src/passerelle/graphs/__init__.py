"""`passerelle graph`: the flow of a definition, as Mermaid text or as a picture."""
