"""Tables for publication: what they show, and their typesetting."""
