"""Named rules that Great Expectations runs as SQL inside the engine."""
