"""The visual report: one self-contained web page of a publication."""
