"""`gridtick keys`: API keys, made and ended on the machine itself, so that the first one needs none."""

import sys
from typing import TYPE_CHECKING, Annotated, Final, TypeAlias, TypedDict

import typer

from gridtick.cli.options import DEFAULT_DATA_DIR, DataDir
from gridtick.cli.output import write
from gridtick.cli.reading import Wanted
from gridtick.cli.system import settings_of
from pipeline.errors import DataProcessingError

if TYPE_CHECKING:
    from gridtick.cli.access_stores import Made

commands = typer.Typer(no_args_is_help=True, help="API keys: made, listed, rotated and revoked (docs/access.md).")
Expires: TypeAlias = Annotated[
    str | None, typer.Option("--expires", help="When it ends: 90d from now, or an instant with an offset.")
]
KeyId: TypeAlias = Annotated[str, typer.Argument(metavar="ID", help="The id, as `gridtick keys ls` shows it.")]


class Row(TypedDict):
    """A key. `pepper`: whether its digest is under the present one, the one before, or it is not known."""

    id: str
    tenant: str
    name: str
    role: str
    scopes: list[str] | None
    created_at: str
    expires_at: str | None
    last_used_at: str | None
    revoked_at: str | None
    replaces: str | None
    created_by: str
    pepper: str


SHOWN: Final = ("id", "tenant", "name", "role", "expires_at", "last_used_at", "revoked_at", "pepper")


@commands.command()
def create(
    *,
    name: Annotated[str, typer.Option(help="Who or what it is for.")],
    role: Annotated[str, typer.Option(help="viewer, analyst, operator or admin.")] = "analyst",
    tenant: Annotated[str, typer.Option(help="Whose key it is.")] = "public",
    scope: Annotated[list[str] | None, typer.Option(help="Only this scope of the role; repeatable.")] = None,
    expires: Expires = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Make a key and print it: it is shown this once.

    Example: gridtick keys create --name "the first administrator" --role admin

    Example: gridtick keys create --tenant acme --name dashboard --scope prices:read --expires 90d
    """
    from gridtick.cli import access_stores as stores
    from gridtick.cli.spans import end
    from service import clock

    scopes = _checked(role, scope)
    expires_at = end("--expires", expires, clock.now())
    _show(stores.create(settings_of(data_dir), tenant, name, role, scopes, expires_at))


@commands.command()
def ls(
    *,
    tenant: Annotated[str | None, typer.Option(help="Only keys of this tenant.")] = None,
    wanted: Wanted = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """List keys, the oldest first, expired and revoked ones too; `pepper` tells which hang on the old one.

    Example: gridtick keys ls --tenant acme
    """
    from gridtick.cli import access_stores as stores

    write(stores.listed_keys(settings_of(data_dir), tenant), wanted, Row, SHOWN)


@commands.command()
def rotate(
    key_id: KeyId,
    *,
    keep: Annotated[str, typer.Option(help="How long the old key stays good; 0: it ends at once.")] = "24h",
    expires: Expires = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Make a key with the same rights and print it; the old one stays good for a while.

    Example: gridtick keys rotate 4Zk0mVb1Qx7C --keep 7d
    """
    from gridtick.cli import access_stores as stores
    from gridtick.cli.spans import end, span
    from service import clock

    expires_at = end("--expires", expires, clock.now())
    _show(stores.rotate(settings_of(data_dir), key_id, span("--keep", keep), expires_at))


@commands.command()
def revoke(key_id: KeyId, *, data_dir: DataDir = DEFAULT_DATA_DIR) -> None:
    """End a key: within 5 seconds it opens nothing.

    Example: gridtick keys revoke 4Zk0mVb1Qx7C
    """
    from db.postgres.keys import RevokeKey
    from gridtick.cli import access_stores as stores

    found = stores.change(settings_of(data_dir), RevokeKey(key_id, None))
    print(f"{key_id} of {found['tenant']} is revoked since {found['revoked_at']}.")


def _checked(role: str, scopes: list[str] | None) -> frozenset[str] | None:
    from api.security.scopes import ROLES

    if role not in ROLES:
        raise DataProcessingError(f"--role {role} is none of {', '.join(ROLES)}.", "cli")
    for scope in scopes or ():
        if scope not in ROLES[role]:
            raise DataProcessingError(f"--scope {scope} is none of {role}: {', '.join(sorted(ROLES[role]))}.", "cli")
    return frozenset(scopes) if scopes else None


def _show(made: "Made") -> None:
    """The key alone goes to standard output, so that a script can take it."""
    key = made.key
    ends = f"until {key['expires_at']}" if key["expires_at"] else "without an end"
    print(f"Key {key['id']} of {key['tenant']}, role {key['role']}, {ends}. It is shown this once:", file=sys.stderr)
    print(made.text)


def register(app: typer.Typer) -> None:
    app.add_typer(commands, name="keys")
