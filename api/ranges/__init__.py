"""Instruments over a range: what is meant, filled, local, counted, and sent as pages or as one long answer."""
