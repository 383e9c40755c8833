"""What to build, and how to run on it."""
