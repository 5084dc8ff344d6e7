"""`gridtick reference`: reference data as CSV files, loaded, written and compared."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, TypeAlias

import typer

from gridtick.cli.options import DEFAULT_DATA_DIR, DataDir
from gridtick.cli.system import settings_of
from pipeline.errors import DataProcessingError

if TYPE_CHECKING:
    from db.reference.loading import Loaded
    from pipeline.reference.changes import Changes
    from pipeline.reference.reading import Given

commands = typer.Typer(
    no_args_is_help=True,
    help="Reference data: locations, taxonomy, contracts, calendars, facts, curves and spreads as CSV files.",
)
Files: TypeAlias = Annotated[list[Path], typer.Argument(metavar="FILE…", help="CSV files; - is standard input.")]
TableName: TypeAlias = Annotated[str | None, typer.Option("--table", help="Default: the one that the header is of.")]
TenantName: TypeAlias = Annotated[
    str | None, typer.Option("--tenant", help="Whose rows they are. Default: what a column `tenant` says, else public.")
]
_STANDARD: Final = Path("-")


@commands.command("load")
def load_files(
    files: Files,
    *,
    table: TableName = None,
    tenant: TenantName = None,
    replace: Annotated[bool, typer.Option("--replace", help="Remove rows that the files do not hold.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would change, and change nothing.")] = False,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Load CSV files, all of them or nothing. Rows of the same key are replaced; every process sees it in seconds.

    Example: gridtick reference load rules.csv locations.csv

    Example: gridtick reference load holidays.csv --replace --dry-run
    """
    from db.reference.loading import Mode
    from gridtick.cli import reference_stores as stores

    given = [_read(path, table, tenant) for path in files]
    _say_loaded(stores.load(settings_of(data_dir), given, Mode(replace, dry_run)), dry_run=dry_run)


@commands.command()
def export(
    table: Annotated[str | None, typer.Argument(help="The table; `gridtick reference ls` lists them.")] = None,
    *,
    to: Annotated[Path | None, typer.Option("--all", help="A folder that takes every table as a file.")] = None,
    tenant: Annotated[str, typer.Option(help="Whose rows.")] = "public",
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Write a table to standard output, or all tables to a folder, as `load` takes them.

    Example: gridtick reference export taxonomy_rules > rules.csv
    """
    from gridtick.cli import reference_stores as stores
    from gridtick.cli.sink import standard_output
    from pipeline.reference.reading import named
    from pipeline.reference.tables import TABLES

    if (table is None) == (to is None):
        raise DataProcessingError("Name a table, or a folder with --all.", "cli")
    wanted = TABLES if table is None else [named(table).name]
    found = stores.exported(settings_of(data_dir), list(wanted), tenant)
    if to is None:
        with standard_output() as out:
            out.buffer.write(found[0])
        return
    to.mkdir(parents=True, exist_ok=True)
    for name, content in zip(wanted, found, strict=True):
        (to / f"{name}.csv").write_bytes(content)


@commands.command()
def diff(
    file: Annotated[Path, typer.Argument(help="A CSV file; - is standard input.")],
    *,
    table: TableName = None,
    tenant: TenantName = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Compare the rows of a table with a file. Exit status 1 if anything differs.

    `+` stands only in the file, `-` only in the table, `~` in both with other cells.

    Example: gridtick reference diff rules.csv
    """
    from gridtick.cli import reference_stores as stores

    found = stores.difference(settings_of(data_dir), _read(file, table, tenant))
    for line in stores.lines(found):
        print(line)
    if found.number:
        raise typer.Exit(1)


@commands.command()
def ls(data_dir: DataDir = DEFAULT_DATA_DIR) -> None:
    """List the tables: how many rows each holds, of how many tenants, and its columns.

    Example: gridtick reference ls
    """
    import sys

    from gridtick.cli import reference_stores as stores
    from gridtick.cli.table import draw

    version, rows = stores.listed(settings_of(data_dir))
    draw(sys.stdout, {"table": "left", "rows": "right", "tenants": "right", "columns": "left"}, rows)
    print(f"version {version}")


def _read(path: Path, table: str | None, tenant: str | None) -> "Given":
    import sys

    from pipeline.reference.reading import read, require_good

    try:
        content = sys.stdin.buffer.read() if path == _STANDARD else path.read_bytes()
    except OSError as error:
        raise DataProcessingError(f"{path} cannot be read: {error.strerror}.", "cli") from None
    given = read(content, table, tenant)
    require_good(given)
    return given


def _say_loaded(loaded: "Loaded", *, dry_run: bool) -> None:
    for line in _counts(loaded.changes):
        print(line)
    changed = sum(each.number for each in loaded.changes)
    if dry_run:
        print(f"{changed} rows would change; nothing was loaded.")
    else:
        print(f"{changed} rows changed. Version {loaded.version}.")


def _counts(found: "Sequence[Changes]") -> list[str]:
    return [
        f"{each.table.name}: {each.added.height} added, {each.after.height} changed, {each.removed.height} removed"
        for each in found
    ]


def register(app: typer.Typer) -> None:
    app.add_typer(commands, name="reference")
