"""What tests share: small landing areas, and the command line as a user runs it."""
