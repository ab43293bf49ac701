"""The main job end to end, run as a user runs it."""
