"""reference data: locations, taxonomy, contracts, holidays, facts, definitions of curves and spreads

Revision ID: 0004
Revises: 0003
"""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

# A key may hold a null `valid_from` (always), so it is a unique index and no primary key.
_TABLES = {
    "locations": (
        """
        market text NOT NULL, location text NOT NULL, valid_from date, valid_to date, name text, kind text NOT NULL,
        region text, zone text, hub text, source text NOT NULL, CHECK (valid_from < valid_to)
        """,
        "market, location, coalesce(valid_from, '-infinity')",
    ),
    "taxonomy_rules": (
        """
        rule text NOT NULL, priority bigint NOT NULL, valid_from date, valid_to date, market text, product text,
        location_type text, field text CHECK (field IN ('instrument', 'location', 'name')),
        match text CHECK (match IN ('word', 'prefix', 'suffix', 'pattern')), text text,
        commodity text, region text, tier text, source text NOT NULL, CHECK (valid_from < valid_to)
        """,
        "rule",
    ),
    "contracts": (
        """
        market text NOT NULL, contract text NOT NULL, root text, delivery_start date NOT NULL,
        delivery_end date NOT NULL, block text, last_trade date, first_notice date, size numeric(18, 9),
        size_unit text, tick numeric(18, 9), source text NOT NULL, CHECK (delivery_start < delivery_end)
        """,
        "market, contract",
    ),
    "holidays": (
        "calendar text NOT NULL, day date NOT NULL, name text NOT NULL, source text NOT NULL",
        "calendar, day",
    ),
    "instrument_facts": (
        """
        instrument text NOT NULL, valid_from date, valid_to date, commodity text, region text, tier text, unit text,
        currency text, zone text, contract_size numeric(18, 9), tick_size numeric(18, 9), confirmed boolean NOT NULL,
        source text NOT NULL, CHECK (valid_from < valid_to)
        """,
        "instrument, coalesce(valid_from, '-infinity')",
    ),
    "curves": (
        """
        curve text NOT NULL, market text NOT NULL, product text NOT NULL, name text NOT NULL, root text,
        zone text NOT NULL, unit text, block text NOT NULL, granularity text NOT NULL,
        tick numeric(18, 9) NOT NULL CHECK (tick > 0), session_zone text NOT NULL, session_end text NOT NULL,
        max_age bigint NOT NULL CHECK (max_age >= 0), source text NOT NULL
        """,
        "curve",
    ),
    "spreads": (
        """
        spread text NOT NULL, valid_from date, valid_to date, zone text NOT NULL, unit text NOT NULL,
        formula text NOT NULL, legs text NOT NULL, source text NOT NULL, CHECK (valid_from < valid_to)
        """,
        "spread, coalesce(valid_from, '-infinity')",
    ),
}
# `own`: the row came with the program and nobody has changed it since; a newer program may.
_TABLE = """
CREATE TABLE {name} (
    tenant text NOT NULL,
    {columns},
    own boolean NOT NULL DEFAULT false
)
"""
_KEY = "CREATE UNIQUE INDEX {name}_key ON {name} (tenant, {key})"

# Beside the version of everything one of these tables alone: instruments are registered all the time.
_VERSION = "ALTER TABLE reference_version ADD COLUMN tables bigint NOT NULL DEFAULT 0"
_BUMP = """
CREATE FUNCTION bump_reference_tables() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM changed) THEN
        UPDATE reference_version SET version = version + 1, tables = tables + 1;
    END IF;
    RETURN NULL;
END $$
"""
_TRIGGER = """
CREATE TRIGGER {name}_{event} AFTER {event} ON {name}
    REFERENCING {which} TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION bump_reference_tables()
"""
_FILES = """
CREATE TABLE reference_files (
    name text PRIMARY KEY,
    digest text NOT NULL
)
"""


def upgrade() -> None:
    op.execute(_VERSION)
    op.execute(_BUMP)
    for name, (columns, key) in _TABLES.items():
        op.execute(_TABLE.format(name=name, columns=columns.strip()))
        op.execute(_KEY.format(name=name, key=key))
        for event, which in (("insert", "NEW"), ("update", "NEW"), ("delete", "OLD")):
            op.execute(_TRIGGER.format(name=name, event=event, which=which))
    op.execute(_FILES)


def downgrade() -> None:
    for name in ("reference_files", *_TABLES):
        op.execute(f"DROP TABLE {name}")
    op.execute("DROP FUNCTION bump_reference_tables")
    op.execute("ALTER TABLE reference_version DROP COLUMN tables")
