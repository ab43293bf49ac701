"""Great Expectations' Data Docs as pages that need no network."""
