"""tenants that are limited, suspended and erased; keys that replace others, under a named pepper; answers kept for
posts that are sent again

Revision ID: 0005
Revises: 0004
"""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_TENANTS = {
    "suspended_at": "timestamptz",
    "erased_at": "timestamptz",
    "markets": "text[]",
    "products": "text[]",
    "history_days": "integer CHECK (history_days > 0)",
    "rows_per_day": "bigint CHECK (rows_per_day > 0)",
    "requests_per_minute": "integer CHECK (requests_per_minute > 0)",
}
_KEYS = {
    "pepper": "text",
    "replaces": "text",
    "created_by": "text NOT NULL DEFAULT 'system'",
}
_TABLES = {"tenants": _TENANTS, "api_keys": _KEYS}
_IDEMPOTENCY = """
CREATE TABLE idempotency (
    tenant text NOT NULL,
    name bytea NOT NULL,
    request bytea NOT NULL,
    answer jsonb NOT NULL,
    at timestamptz NOT NULL,
    PRIMARY KEY (tenant, name)
)
"""
_OLDEST = "CREATE INDEX idempotency_by_age ON idempotency (at)"
# Keys of the operator belong to it: the first one can be made on an empty system.
_PUBLIC = "INSERT INTO tenants (id, name) VALUES ('public', 'what everyone may read') ON CONFLICT DO NOTHING"


def upgrade() -> None:
    for table, columns in _TABLES.items():
        for name, what in columns.items():
            op.execute(f"ALTER TABLE {table} ADD COLUMN {name} {what}")
    op.execute(_IDEMPOTENCY)
    op.execute(_OLDEST)
    op.execute(_PUBLIC)


def downgrade() -> None:
    op.execute("DROP TABLE idempotency")
    for table, columns in _TABLES.items():
        for name in columns:
            op.execute(f"ALTER TABLE {table} DROP COLUMN {name}")
