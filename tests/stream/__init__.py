"""Proofs of the live stream: whatever fails, each client gets what the log holds, or is told what it does not get."""
