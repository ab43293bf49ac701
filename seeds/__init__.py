"""Reference tables, the bundled sample and the generator behind `tierwise sample`."""
