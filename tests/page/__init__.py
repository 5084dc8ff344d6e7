"""The page `/` in a real browser, against a server that speaks the protocol as `docs/stream.md` has it."""
