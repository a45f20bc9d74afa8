"""Retrieval inside scopes: every retriever ranks the documents that a query may search."""
