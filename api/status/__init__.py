"""How fresh each market and product is."""
