"""The receipt of a customer: its tier of a month, why, and the bills behind it."""
