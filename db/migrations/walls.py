"""The second wall as statements: which rows the role of `db.postgres.walls` sees of a table that holds tenants."""

from collections.abc import Iterator, Sequence
from typing import Final

READER: Final = "gridtick_reader"

# Who makes a role may not always take it; a superuser may take any.
ROLE: Final = f"""
DO $$
DECLARE
    version integer = current_setting('server_version_num');
    taking text = CASE WHEN version < 160000 THEN 'MEMBER' ELSE 'SET' END;
BEGIN
    BEGIN
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{READER}') THEN
            CREATE ROLE {READER} NOLOGIN;
        END IF;
    EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
    END;
    IF NOT pg_has_role(current_user, '{READER}', taking) THEN
        GRANT {READER} TO CURRENT_USER;
    END IF;
END $$
"""


def wall(table: str, *, tenant: str = "tenant", shown: Sequence[str] = ()) -> Iterator[str]:
    """Statements that let the role read the rows of its transaction's tenants, and of them the columns `shown` (none:
    all). `tenant`: the column that says whose a row is. The owner of the table is not bound by it."""
    columns = f" ({', '.join(shown)})" if shown else ""
    yield f"GRANT SELECT{columns} ON {table} TO {READER}"
    yield f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY"
    yield f"""
        CREATE POLICY own_tenants ON {table} FOR SELECT TO {READER}
        USING ({tenant} = ANY (string_to_array(current_setting('gridtick.tenants', true), ',')))
    """


def no_wall(table: str) -> Iterator[str]:
    """Statements that undo it."""
    yield f"DROP POLICY own_tenants ON {table}"
    yield f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY"
    yield f"REVOKE ALL ON {table} FROM {READER}"
