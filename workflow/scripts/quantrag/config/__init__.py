"""The configuration: YAML to checked, typed settings; messages; the generated reference."""
