"""How much each key and each tenant may ask for, and how much it has."""
