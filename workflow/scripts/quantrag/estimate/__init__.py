"""What an experiment will cost, before anything is spent."""
