"""`gridtick status`."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import typer

from gridtick.cli.options import DEFAULT_DATA_DIR, DataDir, resolved

if TYPE_CHECKING:
    from local.state import StackState
    from service.settings import Settings


def status(data_dir: DataDir = DEFAULT_DATA_DIR) -> None:
    """Show what runs, how far the bridge is behind, how fresh the prices are. Exit status 1 for a fault.

    Of each market and product: its newest interval, when that was known, and how many of today's prices that are
    expected by now are missing, over all instruments that had one lately. Late prices are no fault of this system.

    Example: gridtick status
    """
    from local import overview, state

    running = state.read(resolved(data_dir))
    if running is None:
        print(f"Nothing runs on {resolved(data_dir)}. Start it with `gridtick up`.")
        raise typer.Exit(1)
    settings = overview.settings_of(running)
    asked = {"bridge": _stops, "lag": _lag, "freshness": _freshness, "products": _products, "disk": _disk}
    fine = [_processes(running), *(_asked(what, show, settings) for what, show in asked.items())]
    if not all(fine):
        raise typer.Exit(1)


def _processes(running: "StackState") -> bool:
    from local import overview
    from service import clock

    found = list(overview.processes(running, clock.now()))
    for each in found:
        state = f"{each.memory_mib:6.0f} MiB  since {each.running_s:7.0f} s" if each.alive else "DEAD"
        again = f"  restarts {each.restarts}" if each.restarts else ""
        print(f"  {each.name:<11} {each.pid:>8}  {state}{again}")
    if not running.ready:
        print("  still starting")
    return all(each.alive for each in found)


def _asked(what: str, show: "Callable[[Settings], bool]", settings: "Settings") -> bool:
    """Whether all is well there; what a store that does not answer said instead is shown."""
    try:
        return show(settings)
    except Exception as error:
        print(f"  {what:<11} unknown: {error}")
        return False


def _stops(settings: "Settings") -> bool:
    """Why a lane reads nothing more, and the way on."""
    import asyncio

    from db.postgres.engine import make_engine
    from db.postgres.stops import stopped

    found = asyncio.run(stopped(make_engine(settings.postgres.dsn.get_secret_value(), pooled=False)))
    for each in found:
        print(f"  {'bridge':<11} STOPPED since {each.since:%Y-%m-%dT%H:%M:%SZ}. {each.reason}")
    return not found


def _lag(settings: "Settings") -> bool:
    from local import overview
    from service.settings import LANES

    for lane in LANES:
        found = overview.lags(settings.kafka, lane)
        waiting = sum(each.waiting for each in found)
        print(f"  {f'lag {lane}':<12} {waiting} messages of {sum(each.end for each in found)} not committed yet")
        for each in found:
            print(f"    partition {each.partition}: committed {each.committed}, end {each.end}")
    return True


def _freshness(settings: "Settings") -> bool:
    from local import overview
    from service import clock

    found = overview.freshness(settings)
    age = f", the newest known {(clock.now() - found.newest).total_seconds():.1f} s ago" if found.newest else ""
    print(f"  {'prices':<11} {found.publications} publications stored{age}")
    return True


def _products(settings: "Settings") -> bool:
    from local.completeness import completeness
    from service import clock

    now = clock.now()
    for each in completeness(settings, now):
        name, count = f"{each.market}.{each.product}", each.instruments
        age = f", known {(now - each.known).total_seconds():.1f} s ago" if each.known else ""
        newest = f"newest {each.newest:%Y-%m-%dT%H:%M:%SZ}{age}"
        today = "no intervals promised" if each.missing is None else _today(each.missing, each.expected or 0)
        print(f"    {name:<24} {each.status:<5} {newest}; {count} instrument{'' if count == 1 else 's'}, {today}")
    return True


def _today(missing: int, expected: int) -> str:
    return f"{missing or 'none'} missing of {expected} expected today by now"


def _disk(settings: "Settings") -> bool:
    from local import overview
    from service.settings import MIB

    free, lacking = overview.room(settings)
    print(f"  {'disk':<11} {free // MIB} MiB free where prices are stored{'. ' + lacking if lacking else ''}")
    return not lacking


def register(app: typer.Typer) -> None:
    app.command()(status)
