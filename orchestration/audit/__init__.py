"""Evidence: the ledger of runs and the manifest of each publication."""
