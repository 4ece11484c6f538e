"""From a model's name to its files, and what is known of it."""
