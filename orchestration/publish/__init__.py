"""Publication: versioned copies of the accepted marts, switched in one atomic step."""
