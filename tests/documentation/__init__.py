"""The documentation for readers: complete, current, and right about the figures."""
