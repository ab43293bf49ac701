"""PostgreSQL as a second place that serves the publication; filled by `serve`."""
