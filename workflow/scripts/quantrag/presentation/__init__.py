"""What figures, publication tables and the report share, and these three."""
