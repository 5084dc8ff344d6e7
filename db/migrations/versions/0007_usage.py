"""usage: how much each key has asked for, by day

Revision ID: 0007
Revises: 0006
"""

from alembic import op

from db.migrations.walls import no_wall, wall

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_USAGE = """
CREATE TABLE usage (
    day date NOT NULL,
    tenant text NOT NULL,
    key_id text NOT NULL,
    requests bigint NOT NULL,
    rows bigint NOT NULL,
    PRIMARY KEY (tenant, day, key_id)
)
"""


def upgrade() -> None:
    for statement in (_USAGE, *wall("usage")):
        op.execute(statement)


def downgrade() -> None:
    for statement in (*no_wall("usage"), "DROP TABLE usage"):
        op.execute(statement)
