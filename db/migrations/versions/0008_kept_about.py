"""idempotency: whom a kept answer is about, so that erasing a tenant takes it along

Revision ID: 0008
Revises: 0007
"""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE idempotency ADD COLUMN about text NOT NULL DEFAULT ''")
    op.execute("UPDATE idempotency SET about = coalesce(answer->>'tenant', answer->>'id', tenant)")
    op.execute("CREATE INDEX idempotency_by_about ON idempotency (about)")


def downgrade() -> None:
    op.execute("DROP INDEX idempotency_by_about")
    op.execute("ALTER TABLE idempotency DROP COLUMN about")
