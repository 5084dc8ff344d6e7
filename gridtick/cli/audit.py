"""`gridtick audit`: the audit record, listed, and verified without trust in who can write to the database."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any, Final, TypedDict

import typer

from gridtick.cli.options import DEFAULT_DATA_DIR, DataDir, instant
from gridtick.cli.output import write
from gridtick.cli.reading import Wanted
from gridtick.cli.system import settings_of

if TYPE_CHECKING:
    from db.postgres.audit_chain import Record
    from db.postgres.audit_reads import Verdict

commands = typer.Typer(no_args_is_help=True, help="The audit record: who changed what, and who was denied what.")


class Row(TypedDict):
    """A record."""

    seq: int
    at: str
    tenant: str
    actor: str
    actor_tenant: str
    action: str
    target: str
    outcome: str
    request_id: str
    detail: str
    hash: str


SHOWN: Final = ("seq", "at", "tenant", "actor", "action", "target", "outcome", "detail")


@commands.command()
def ls(
    *,
    tenant: Annotated[str | None, typer.Option(help="Only records of this tenant.")] = None,
    since: Annotated[str | None, typer.Option(help="Only records from this instant on, with an offset.")] = None,
    wanted: Wanted = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """List records, the newest last.

    Example: gridtick audit ls --tenant acme --since 2026-07-01T00:00:00Z
    """
    from gridtick.cli import audit_stores as stores

    found = stores.records(settings_of(data_dir), tenant, None if since is None else instant(since))
    write(map(_row, found), wanted, Row, SHOWN)


@commands.command()
def verify(
    *,
    anchor: Annotated[
        str | None, typer.Option(metavar="SEQ:HASH", help="What an earlier run printed: finds a record put back.")
    ] = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Read all records and say which were changed, dropped, doubled or moved. Exit status 1 if any was.

    It prints the newest record as an anchor: keep it where who can write to the database cannot.

    Example: gridtick audit verify

    Example: gridtick audit verify --anchor 1041:6f0c…
    """
    from gridtick.cli import audit_stores as stores

    verdict = stores.verify(settings_of(data_dir), anchor)
    for line in _told(verdict):
        print(line)
    if verdict.number:
        raise typer.Exit(1)


def _told(verdict: "Verdict") -> Iterator[str]:
    yield from verdict.wrong
    if verdict.number > len(verdict.wrong):
        yield f"and {verdict.number - len(verdict.wrong)} more"
    if verdict.number:
        yield f"{verdict.number} problems. docs/audit.md says how to go on."
    elif verdict.anchor.seq:
        yield f"{verdict.anchor.seq} records, all as they were written."
        yield f"anchor {verdict.anchor}"
    else:
        yield "The audit record is empty."


def _row(record: "Record") -> dict[str, Any]:
    return record._asdict() | {"at": record.at.isoformat().replace("+00:00", "Z"), "hash": record.hash.hex()}


def register(app: typer.Typer) -> None:
    app.add_typer(commands, name="audit")
