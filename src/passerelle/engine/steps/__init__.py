"""Step kinds, one file each; other packages add theirs by the entry point `passerelle.step_kinds`."""
