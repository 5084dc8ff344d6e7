"""What the API answers while ClickHouse, PostgreSQL or Redis is away, slow or breaks off, and how it goes on after."""
