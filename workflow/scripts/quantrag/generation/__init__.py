"""Generation: prompts to completions; job, journal, costs."""
