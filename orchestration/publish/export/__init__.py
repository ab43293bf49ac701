"""A published table as a file for people: CSV or Excel, written row by row."""
