"""Policy replay: what another tier policy would have made of past months."""
