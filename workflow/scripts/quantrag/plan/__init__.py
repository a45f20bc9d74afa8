"""What the workflow's rules look up, and what is checked before any job starts. Imports nothing heavy."""
