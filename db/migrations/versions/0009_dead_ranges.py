"""ledger: how many dead letters there are, without a look at what brought none

Revision ID: 0009
Revises: 0008
"""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("CREATE INDEX ledger_dead_letters ON ledger (landed_at) INCLUDE (dead_letters) WHERE dead_letters > 0")


def downgrade() -> None:
    op.execute("DROP INDEX ledger_dead_letters")
