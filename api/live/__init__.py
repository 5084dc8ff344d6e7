"""The live stream: one reader of the landed log in each process, and what each client gets of it (docs/stream.md)."""
