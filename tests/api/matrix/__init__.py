"""The authorization matrix: every operation × role × whose key × whose data × state of the key."""
