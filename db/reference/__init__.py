"""The reference in the stores: its tables in PostgreSQL, its snapshot in Redis, what came with the program."""
