"""Reference data as tables: what they hold, how they are read from CSV, what is known of an instrument by them."""
