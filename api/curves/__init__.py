"""Forward curves as they are answered."""
