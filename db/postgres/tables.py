"""The tables of PostgreSQL, as queries use them; the migrations in `db/migrations` make them."""

from typing import Final

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
)
from sqlalchemy.dialects.postgresql import JSONB

metadata: Final = MetaData()

tenants: Final = Table(
    "tenants",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("suspended_at", DateTime(timezone=True)),
    Column("erased_at", DateTime(timezone=True)),  # its id is never given again
    # Of the public rows: null is all of them. Limits: null is the default of the installation.
    Column("markets", ARRAY(Text)),
    Column("products", ARRAY(Text)),
    Column("history_days", Integer),
    Column("rows_per_day", BigInteger),
    Column("requests_per_minute", Integer),
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
    Column("pepper", Text),  # the fingerprint of the one that the digest is under
    Column("replaces", Text),  # the key that was rotated
    Column("created_by", Text, nullable=False),  # the id of a key, `cli`, or `system`
)

idempotency: Final = Table(
    "idempotency",
    metadata,
    Column("tenant", Text, primary_key=True),  # of the caller
    Column("name", LargeBinary, primary_key=True),  # a hash of the Idempotency-Key
    Column("request", LargeBinary, nullable=False),  # a hash of route and body
    Column("answer", JSONB, nullable=False),  # without any secret
    Column("about", Text, nullable=False),  # the tenant that was changed
    Column("at", DateTime(timezone=True), nullable=False),
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

usage: Final = Table(
    "usage",
    metadata,
    Column("day", Date, primary_key=True),
    Column("tenant", Text, primary_key=True),
    Column("key_id", Text, primary_key=True),
    Column("requests", BigInteger, nullable=False),
    Column("rows", BigInteger, nullable=False),
)

stops: Final = Table(
    "stops",
    metadata,
    Column("lane", Text, primary_key=True),
    Column("reason", Text, nullable=False),
    Column("since", DateTime(timezone=True), nullable=False),
)

audit: Final = Table(
    "audit",
    metadata,
    Column("seq", BigInteger, primary_key=True),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("tenant", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("actor_tenant", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("target", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("request_id", Text, nullable=False),
    Column("detail", Text, nullable=False),  # JSON, as the hash covers it
    Column("hash", LargeBinary, nullable=False),
)

audit_head: Final = Table(
    "audit_head",
    metadata,
    Column("seq", BigInteger, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    Column("seal", LargeBinary),  # null: before the first record
)
