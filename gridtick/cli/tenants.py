"""`gridtick tenants`: whose data there is, what they may see and ask for; their export and erasure."""

import sys
from pathlib import Path
from typing import Annotated, Any, Final, TypeAlias, TypedDict

import typer

from gridtick.cli.options import DEFAULT_DATA_DIR, DataDir
from gridtick.cli.output import write
from gridtick.cli.reading import Wanted
from gridtick.cli.system import settings_of
from pipeline.errors import DataProcessingError

commands = typer.Typer(
    no_args_is_help=True, help="Tenants: made, limited, suspended, exported, erased (docs/access.md)."
)
TenantId: TypeAlias = Annotated[str, typer.Argument(metavar="ID", help="The id, as `gridtick tenants ls` shows it.")]
_NUMBER: Final = "A number, or `default`."


class Row(TypedDict):
    """A tenant; a limit that is absent is everything, or the default of the installation."""

    id: str
    name: str
    created_at: str
    suspended_at: str | None
    erased_at: str | None
    markets: list[str] | None
    products: list[str] | None
    history_days: int | None
    rows_per_day: int | None
    requests_per_minute: int | None


SHOWN: Final = ("id", "name", "suspended_at", "erased_at", "markets", "products", "history_days")


@commands.command()
def ls(*, wanted: Wanted = None, data_dir: DataDir = DEFAULT_DATA_DIR) -> None:
    """List tenants, suspended and erased ones too.

    Example: gridtick tenants ls
    """
    from gridtick.cli import access_stores as stores

    write(stores.listed_tenants(settings_of(data_dir)), wanted, Row, SHOWN)


@commands.command()
def show(tenant: TenantId, *, data_dir: DataDir = DEFAULT_DATA_DIR) -> None:
    """Show a tenant.

    Example: gridtick tenants show acme
    """
    from gridtick.cli import access_stores as stores

    _print(stores.tenant(settings_of(data_dir), tenant))


@commands.command()
def create(
    tenant: TenantId,
    *,
    name: Annotated[str, typer.Option(help="Who it is, for people.")],
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Make a tenant, which sees all public prices until it is limited. Its id is never given again.

    Example: gridtick tenants create acme --name "Acme Energy"
    """
    from db.postgres.tenants import ID, CreateTenant
    from gridtick.cli import access_stores as stores
    from gridtick.cli.tenant_values import values

    if not ID.fullmatch(tenant):
        raise DataProcessingError(
            f"{tenant} is no id of a tenant. Write a small letter, then up to 62 of a-z, 0-9, _ and -.", "cli"
        )
    values({"name": name})  # refuses an empty one
    _print(stores.change(settings_of(data_dir), CreateTenant(tenant, name, {})))


@commands.command()
def limit(
    tenant: TenantId,
    *,
    name: Annotated[str | None, typer.Option(help="Another name.")] = None,
    markets: Annotated[str | None, typer.Option(help="Whose public prices it sees: caiso,ercot or `all`.")] = None,
    products: Annotated[str | None, typer.Option(help="Which products: da_hourly,caiso.rt_5min or `all`.")] = None,
    history_days: Annotated[str | None, typer.Option(help="How far back: a number, or `all`.")] = None,
    rows_per_day: Annotated[str | None, typer.Option(help=_NUMBER)] = None,
    requests_per_minute: Annotated[str | None, typer.Option(help=_NUMBER)] = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Change what a tenant sees of public prices and how much it may ask for, within 5 seconds.

    Example: gridtick tenants limit acme --markets caiso,ercot --history-days 90

    Example: gridtick tenants limit acme --markets all --requests-per-minute 1200
    """
    from db.postgres.tenants import LimitTenant
    from gridtick.cli import access_stores as stores
    from gridtick.cli.tenant_values import values

    numbers = {"history_days": history_days, "rows_per_day": rows_per_day, "requests_per_minute": requests_per_minute}
    changed = values({"name": name, "markets": markets, "products": products, **numbers})
    _print(stores.change(settings_of(data_dir), LimitTenant(tenant, changed)))


@commands.command()
def suspend(tenant: TenantId, *, data_dir: DataDir = DEFAULT_DATA_DIR) -> None:
    """Let no key of a tenant open anything, within 5 seconds. Nothing is removed.

    Example: gridtick tenants suspend acme
    """
    from db.postgres.tenants import SuspendTenant
    from gridtick.cli import access_stores as stores

    _print(stores.change(settings_of(data_dir), SuspendTenant(tenant)))


@commands.command()
def resume(tenant: TenantId, *, data_dir: DataDir = DEFAULT_DATA_DIR) -> None:
    """Let the keys of a suspended tenant work again.

    Example: gridtick tenants resume acme
    """
    from db.postgres.tenants import ResumeTenant
    from gridtick.cli import access_stores as stores

    _print(stores.change(settings_of(data_dir), ResumeTenant(tenant)))


@commands.command()
def export(
    tenant: TenantId,
    *,
    to: Annotated[Path, typer.Option(metavar="DIR", help="A folder; files of these names are replaced.")],
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Write all that a tenant has of its own: JSON lines a table, and its ticks as Parquet, a file a month.

    Example: gridtick tenants export acme --to acme-export
    """
    from gridtick.cli import access_stores as stores

    try:
        for file, rows in stores.exported(settings_of(data_dir), tenant, to):
            print(f"{to / file}: {rows} rows")
    except OSError as error:
        raise DataProcessingError(f"{to} cannot be written: {error.strerror}. Choose another --to.", "cli") from None


@commands.command()
def erase(
    tenant: TenantId,
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Confirm: all that the tenant has of its own is deleted.")] = False,
    confirm: Annotated[str | None, typer.Option(metavar="ID", help="The id once more; a terminal asks for it.")] = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Delete all that a tenant has of its own, in every store. Do it again where it was cut short.

    Its messages in Kafka stay until their time is over: docs/access.md says what to do about them.

    Example: gridtick tenants erase acme --yes --confirm acme
    """
    from gridtick.cli import access_stores as stores

    if not yes:
        raise DataProcessingError(
            f"This deletes all that {tenant} has of its own; `gridtick tenants export {tenant} --to DIR` keeps it. "
            "Say so with --yes.",
            "cli",
        )
    if confirm is None and sys.stdin.isatty():
        confirm = typer.prompt("The id of the tenant once more")
    if confirm != tenant:
        raise DataProcessingError(f"Write the id once more: --confirm {tenant}.", "cli")
    for store, tables in stores.erased(settings_of(data_dir), tenant).items():
        for table, rows in tables.items():
            print(f"{store} {table}: {rows} rows deleted")


def _print(found: dict[str, Any]) -> None:
    """A tenant, a line a field."""
    for field in Row.__annotations__:
        value = found[field]
        print(f"{field}: {','.join(value) if isinstance(value, list) else '-' if value is None else value}")


def register(app: typer.Typer) -> None:
    app.add_typer(commands, name="tenants")
