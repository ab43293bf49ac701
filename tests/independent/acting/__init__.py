"""The marts about acting: contacts, worklist, renewals, campaigns, proposals, scorecard."""
