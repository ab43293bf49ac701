"""Asset checks: what Great Expectations found, one check per feed and per mart."""
