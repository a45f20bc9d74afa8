"""quantrag: what quantizing a small LLM costs in retrieval-augmented generation."""
