"""tenants, API keys, instruments with the version of the reference, the ledger

Revision ID: 0001
Revises:
"""

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_TABLES = """
CREATE TABLE tenants (
    id text PRIMARY KEY CHECK (id ~ '^[A-Za-z0-9_.-]{1,64}$'),
    name text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE api_keys (
    id text PRIMARY KEY,
    tenant text NOT NULL REFERENCES tenants (id),
    name text NOT NULL,
    role text NOT NULL CHECK (role IN ('viewer', 'analyst', 'operator', 'admin')),
    scopes text[],
    digest bytea NOT NULL CHECK (octet_length(digest) = 32),
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz,
    revoked_at timestamptz,
    last_used_at timestamptz
);
CREATE INDEX api_keys_of_tenant ON api_keys (tenant, created_at);

CREATE TABLE instruments (
    tenant text NOT NULL,
    instrument text NOT NULL,
    market text NOT NULL,
    product text NOT NULL,
    location text,
    location_type text,
    unit text,
    currency text,
    zone text,
    complete boolean NOT NULL GENERATED ALWAYS AS
        (unit IS NOT NULL AND currency IS NOT NULL AND zone IS NOT NULL) STORED,
    first_seen timestamptz NOT NULL,
    PRIMARY KEY (tenant, instrument)
);
CREATE INDEX instruments_of_market ON instruments (market, product, instrument);

CREATE TABLE reference_version (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    version bigint NOT NULL
);
INSERT INTO reference_version (version) VALUES (0);

CREATE TABLE ledger (
    topic text NOT NULL,
    topic_id text NOT NULL,
    partition integer NOT NULL,
    first_offset bigint NOT NULL CHECK (first_offset >= 0),
    next_offset bigint NOT NULL,
    messages bigint NOT NULL CHECK (messages >= 0),
    ticks bigint NOT NULL CHECK (ticks >= 0),
    rejects bigint NOT NULL CHECK (rejects >= 0),
    dead_letters bigint NOT NULL CHECK (dead_letters >= 0),
    known_at_us bigint NOT NULL,
    batch_id text NOT NULL,
    landed_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (topic_id, partition, first_offset, next_offset),
    CHECK (next_offset > first_offset)
);
CREATE INDEX ledger_by_known_at ON ledger (known_at_us);
CREATE INDEX ledger_by_end ON ledger (topic_id, partition, next_offset, known_at_us);
"""

# One statement a trigger: a statement that changed no row leaves the version as it was.
_VERSION = """
CREATE FUNCTION bump_reference_version() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM changed) THEN
        UPDATE reference_version SET version = version + 1;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER instruments_added AFTER INSERT ON instruments
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION bump_reference_version();
CREATE TRIGGER instruments_changed AFTER UPDATE ON instruments
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION bump_reference_version();
CREATE TRIGGER instruments_removed AFTER DELETE ON instruments
    REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION bump_reference_version();
"""

_APPEND_ONLY = """
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER ledger_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
"""


def upgrade() -> None:
    # The driver prepares statements, one at a time; a function's body holds semicolons of its own.
    for block in _statements(_TABLES + _VERSION + _APPEND_ONLY):
        op.execute(block)


def downgrade() -> None:
    for table in ("ledger", "reference_version", "instruments", "api_keys", "tenants"):
        op.execute(f"DROP TABLE {table} CASCADE")
    op.execute("DROP FUNCTION bump_reference_version, refuse_change")


def _statements(sql: str) -> list[str]:
    parts, statement = [], ""
    for line in sql.strip().splitlines():
        statement += line + "\n"
        if line.endswith(";") and statement.count("$$") % 2 == 0:
            parts.append(statement)
            statement = ""
    return parts
