"""Tasks: what is asked, readers of each data format, downloads, the demo's data."""
