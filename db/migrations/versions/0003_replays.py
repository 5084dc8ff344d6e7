"""dead letters that are sent again, each attempt read once; lanes that are stopped until a person lets them go on

Revision ID: 0003
Revises: 0002
"""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_REPLAYS = """
CREATE TABLE replays (
    origin text NOT NULL,
    attempt integer NOT NULL,
    read_topic_id text,
    read_partition integer,
    read_offset bigint,
    asked_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (origin, attempt),
    CHECK (num_nulls(read_topic_id, read_partition, read_offset) IN (0, 3))
)
"""
_STOPS = """
CREATE TABLE stops (
    lane text PRIMARY KEY,
    reason text NOT NULL,
    since timestamptz NOT NULL DEFAULT now()
)
"""


def upgrade() -> None:
    op.execute(_REPLAYS)
    op.execute(_STOPS)


def downgrade() -> None:
    op.execute("DROP TABLE stops")
    op.execute("DROP TABLE replays")
