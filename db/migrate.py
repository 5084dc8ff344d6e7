"""`python -m db.migrate`: makes the topics that are missing, brings ClickHouse and PostgreSQL to our schema."""

import asyncio
import logging
import sys
from contextlib import closing
from functools import partial

from sqlalchemy.exc import DBAPIError

from db.clickhouse.client import assert_settings, connect
from db.clickhouse.keys import drop_abandoned
from db.clickhouse.migrate import ensure_database
from db.clickhouse.migrate import migrate as migrate_clickhouse
from db.clickhouse.spreads import spreads_with_values
from db.kafka import topics
from db.kafka.admin import make_admin
from db.postgres import schema
from db.postgres.engine import make_engine
from db.reference.own import load_own
from pipeline.errors import DataProcessingError
from service import logs
from service.settings import Kafka, Settings, load

log = logging.getLogger(__name__)


async def migrate(settings: Settings) -> str:
    """Makes topics, runs all migrations; the revision of PostgreSQL that was reached. Safe to repeat."""
    await asyncio.to_thread(_kafka, settings.kafka)
    await asyncio.to_thread(_clickhouse, settings)
    engine = make_engine(settings.postgres.dsn.get_secret_value(), pooled=False)
    try:
        revision = await schema.upgrade(engine)
        await load_own(engine, partial(_spreads_with_values, settings))
        return revision
    except (OSError, TimeoutError) as error:
        raise DataProcessingError(
            f"PostgreSQL does not answer ({error}). Start it, or set DATA_PROC_POSTGRES_DSN to where it is.",
            "postgres",
        ) from None
    except DBAPIError as error:
        raise DataProcessingError(
            f"PostgreSQL refuses ({error.orig}). Check user, password, database in DATA_PROC_POSTGRES_DSN.",
            "postgres",
        ) from None
    finally:
        await engine.dispose()


def _kafka(kafka: Kafka) -> None:
    topics.ensure_topics(make_admin(kafka.bootstrap), topics.ours(kafka), kafka.partitions)


def _spreads_with_values(settings: Settings) -> set[tuple[str, str]]:
    with closing(connect(settings.clickhouse)) as client:
        return spreads_with_values(client)


def _clickhouse(settings: Settings) -> None:
    with closing(connect(settings.clickhouse, database="default")) as client:
        ensure_database(client, settings.clickhouse.database)
    with closing(connect(settings.clickhouse)) as client:
        assert_settings(client)
        migrate_clickhouse(client)
        drop_abandoned(client)


def main() -> int:
    try:
        settings = load()
        logs.configure(settings.core.log_level, logs.secrets_of(settings))
        revision = asyncio.run(migrate(settings))
    except DataProcessingError as error:
        print(str(error), file=sys.stderr)  # noqa: T201 - the answer of a command
        return 1
    log.info("migrated", extra={"postgres": revision})
    return 0


if __name__ == "__main__":
    sys.exit(main())
