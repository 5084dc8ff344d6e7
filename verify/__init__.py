"""Brute-force proof of what is stored: written from the definitions, shares no code with what made the bars."""
