"""The tables of PostgreSQL, as queries use them; the migrations in `db/migrations` make them."""

from typing import Final

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
)

metadata: Final = MetaData()

tenants: Final = Table(
    "tenants",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
)

api_keys: Final = Table(
    "api_keys",
    metadata,
    Column("id", Text, primary_key=True),
    Column("tenant", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("scopes", ARRAY(Text)),  # null: all scopes of the role; else only these of them
    Column("digest", LargeBinary, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("expires_at", DateTime(timezone=True)),
    Column("revoked_at", DateTime(timezone=True)),
    Column("last_used_at", DateTime(timezone=True)),
)

instruments: Final = Table(
    "instruments",
    metadata,
    Column("tenant", Text, primary_key=True),
    Column("instrument", Text, primary_key=True),
    Column("market", Text, nullable=False),
    Column("product", Text, nullable=False),
    Column("location", Text),
    Column("location_type", Text),
    Column("unit", Text),
    Column("currency", Text),
    Column("zone", Text),
    Column("complete", Boolean, nullable=False),  # generated: unit, currency and zone are known
    Column("first_seen", DateTime(timezone=True), nullable=False),  # known_at of the first message
)

instrument_names: Final = Table(
    "instrument_names",
    metadata,
    Column("tenant", Text, primary_key=True),
    Column("instrument", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("since", DateTime(timezone=True), nullable=False),  # the earliest interval that was seen under it
)

reference_version: Final = Table("reference_version", metadata, Column("version", BigInteger, nullable=False))

ledger: Final = Table(
    "ledger",
    metadata,
    Column("topic", Text, nullable=False),
    Column("topic_id", Text, primary_key=True),
    Column("partition", Integer, primary_key=True),
    Column("first_offset", BigInteger, primary_key=True),
    Column("next_offset", BigInteger, primary_key=True),
    Column("messages", BigInteger, nullable=False),
    Column("ticks", BigInteger, nullable=False),
    Column("rejects", BigInteger, nullable=False),
    Column("dead_letters", BigInteger, nullable=False),
    Column("known_at_us", BigInteger, nullable=False),
    Column("batch_id", Text, nullable=False),
    Column("landed_at", DateTime(timezone=True), nullable=False),
)

replays: Final = Table(
    "replays",
    metadata,
    Column("origin", Text, primary_key=True),  # of a dead letter: topic id/partition/offset of its first message
    Column("attempt", Integer, primary_key=True),
    # The one message of this attempt that is read; null: none was yet.
    Column("read_topic_id", Text),
    Column("read_partition", Integer),
    Column("read_offset", BigInteger),
    Column("asked_at", DateTime(timezone=True), nullable=False),
)

stops: Final = Table(
    "stops",
    metadata,
    Column("lane", Text, primary_key=True),
    Column("reason", Text, nullable=False),
    Column("since", DateTime(timezone=True), nullable=False),
)
