"""What the routes read and change, as interfaces, and over the real stores."""
