"""the audit record, append-only and chained; row-level security for what is read for a caller

Revision ID: 0006
Revises: 0005
"""

from collections.abc import Iterator

from alembic import op
from sqlalchemy.exc import DBAPIError

from db.migrations.walls import READER, ROLE, no_wall, wall
from pipeline.errors import DataProcessingError

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_AUDIT = """
CREATE TABLE audit (
    seq bigint PRIMARY KEY CHECK (seq > 0),
    at timestamptz NOT NULL,
    tenant text NOT NULL,
    actor text NOT NULL,
    actor_tenant text NOT NULL,
    action text NOT NULL,
    target text NOT NULL,
    outcome text NOT NULL CHECK (outcome IN ('done', 'denied')),
    request_id text NOT NULL,
    detail text NOT NULL,
    hash bytea NOT NULL CHECK (octet_length(hash) = 32)
)
"""
_INDEXES = ("CREATE INDEX audit_of_tenant ON audit (tenant, seq)", "CREATE INDEX audit_by_time ON audit (at)")
_HEAD = """
CREATE TABLE audit_head (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    seq bigint NOT NULL,
    hash bytea NOT NULL,
    seal bytea
)
"""
_EMPTY = "INSERT INTO audit_head (seq, hash) VALUES (0, decode(repeat('00', 32), 'hex'))"
_TRIGGERS = (
    """
    CREATE TRIGGER audit_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
    """,
    """
    CREATE TRIGGER audit_head_stays BEFORE DELETE OR TRUNCATE ON audit_head
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
    """,
)
_NOT_ALLOWED = "42501"
_TABLES = (
    "instruments", "instrument_names", "locations", "taxonomy_rules", "contracts", "holidays", "instrument_facts",
    "curves", "spreads", "audit",
)  # fmt: skip
_KEY_COLUMNS = (
    "id", "tenant", "name", "role", "scopes", "created_at", "expires_at", "revoked_at", "last_used_at", "replaces",
    "created_by",
)  # fmt: skip


def upgrade() -> None:
    for statement in (_AUDIT, *_INDEXES, _HEAD, _EMPTY, *_TRIGGERS):
        op.execute(statement)
    _make_role()
    for table in _TABLES:
        _run(wall(table))
    _run(wall("tenants", tenant="id"))
    _run(wall("api_keys", shown=_KEY_COLUMNS))


def downgrade() -> None:
    """The role stays: other databases of the server may use it."""
    for table in (*_TABLES, "tenants", "api_keys"):
        _run(no_wall(table))
    op.execute("DROP TABLE audit_head")
    op.execute("DROP TABLE audit")


def _make_role() -> None:
    try:
        op.execute(ROLE)
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) != _NOT_ALLOWED:
            raise
        raise DataProcessingError(
            f"the login of DATA_PROC_POSTGRES_DSN may not make the role {READER}. Let a superuser run "
            f"`CREATE ROLE {READER} NOLOGIN; GRANT {READER} TO <that login>;` and migrate again.",
            "postgres",
        ) from None


def _run(statements: Iterator[str]) -> None:
    for statement in statements:
        op.execute(statement)
