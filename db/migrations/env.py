"""Alembic's entry: migrates over the connection that `db.migrate` hands in, else as the settings say."""

import asyncio

from alembic import context
from sqlalchemy import Connection

from db.postgres.engine import make_engine
from db.postgres.tables import metadata
from service.settings import load


def _migrate(connection: Connection) -> None:
    context.configure(connection=connection, target_metadata=metadata, transaction_per_migration=True)
    with context.begin_transaction():
        context.run_migrations()


async def _connect_and_migrate() -> None:
    engine = make_engine(load().postgres.dsn.get_secret_value(), pooled=False)
    async with engine.connect() as connection:
        await connection.run_sync(_migrate)
        await connection.commit()


if context.is_offline_mode():
    context.configure(dialect_name="postgresql", target_metadata=metadata)
    with context.begin_transaction():
        context.run_migrations()
elif (given := context.config.attributes.get("connection")) is not None:
    _migrate(given)
else:
    asyncio.run(_connect_and_migrate())
