"""Retrieval inside profiles: every retriever ranks one user's documents for that user's query."""
