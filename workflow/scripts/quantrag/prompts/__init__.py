"""Prompts: styles, chat templates, packing, tokenization."""
