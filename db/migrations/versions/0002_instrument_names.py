"""names of instruments over time, for a market whose locations have an id and a name that drifts

Revision ID: 0002
Revises: 0001
"""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_TABLE = """
CREATE TABLE instrument_names (
    tenant text NOT NULL,
    instrument text NOT NULL,
    name text NOT NULL,
    since timestamptz NOT NULL,
    PRIMARY KEY (tenant, instrument, name),
    FOREIGN KEY (tenant, instrument) REFERENCES instruments (tenant, instrument) ON DELETE CASCADE
)
"""
_TRIGGER = """
CREATE TRIGGER names_{what} AFTER {event} ON instrument_names
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION bump_reference_version()
"""


def upgrade() -> None:
    op.execute(_TABLE)
    for what, event in (("added", "INSERT"), ("changed", "UPDATE")):
        op.execute(_TRIGGER.format(what=what, event=event))


def downgrade() -> None:
    op.execute("DROP TABLE instrument_names")
