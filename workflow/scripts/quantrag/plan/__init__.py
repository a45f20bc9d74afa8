"""What the rules look up, and what is checked before any job. Imports nothing heavy."""
