"""`gridtick curve`: a snapshot of a forward curve."""

import sys
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal, TypedDict

import typer

from gridtick.cli.connection import connected
from gridtick.cli.options import DEFAULT_DATA_DIR, DataDir
from gridtick.cli.output import write
from gridtick.cli.plot import Step, drawn
from gridtick.cli.reading import AsOf, Wanted
from gridtick.client import Client, Snapshot
from pipeline.errors import DataProcessingError

_SHOWN = ("start", "end", "product", "price", "kind", "age", "flags", "inputs")
_COMPARED = ("start", "end", "product", "price", "against", "change", "kind", "flags")


class Point(TypedDict):
    """A point as a row; `against` and `change`: the price of the other session, and how much it is above that."""

    curve: str
    session: str
    start: str
    end: str
    product: str
    price: Decimal
    against: Decimal | None
    change: Decimal | None
    kind: str
    age: int
    flags: list[str]
    inputs: list[str]


def register(app: typer.Typer) -> None:
    app.command("curve")(curve)


def curve(
    curve_id: Annotated[
        str, typer.Argument(metavar="CURVE", help="Its id: henry_hub.futures, or pjm.da_hourly.51288.")
    ],
    session: Annotated[
        str | None, typer.Option(help="The trading or delivery day: 2021-02-17. Default: newest.")
    ] = None,
    granularity: Annotated[
        Literal["native", "day", "month", "quarter", "season", "year"],
        typer.Option(help="Finer by the smooth curve, coarser by means."),
    ] = "native",
    block: Annotated[str, typer.Option(help="Hours of a day-ahead curve: peak, offpeak, 5x16…")] = "atc",
    against: Annotated[str | None, typer.Option(help="Another session that it is compared with.")] = None,
    *,
    as_of: AsOf = None,
    plot: Annotated[bool, typer.Option("--plot", help="Draw it in the terminal.")] = False,
    png: Annotated[Path | None, typer.Option(help="Draw it into this file.", dir_okay=False)] = None,
    wanted: Wanted = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """A forward curve: what each delivery costs, and what the prices are.

    Example: gridtick curve henry_hub.futures --session 2021-02-17 --against 2021-02-12 --plot
    """
    with connected(data_dir) as client:

        def read(day: str | None) -> Snapshot:
            return _read(client, curve_id, day, as_of, granularity, block)

        found = [read(session), *([] if against is None else [read(against)])]
    if png is not None:
        from gridtick.cli.picture import save

        save(png, found)
    if plot:
        print("\n".join(_picture(found)))
    else:
        write(_rows(*found), wanted, Point, _SHOWN if against is None else _COMPARED)
    _say(found[0])


def _read(client: Client, name: str, day: str | None, as_of: str | None, granularity: str, block: str) -> Snapshot:
    how = {"granularity": granularity, "block": block, "as_of": as_of}
    if day is None:
        return client.curves.latest(name, **how)  # pyright: ignore[reportArgumentType]
    try:
        first = date.fromisoformat(day)
    except ValueError:
        raise DataProcessingError(f"{day} is no day. Write it like 2021-02-17.", "cli") from None
    found = next(client.curves.over(name, start=first, end=first + timedelta(days=1), **how), None)  # pyright: ignore[reportArgumentType]
    if found is None:
        raise DataProcessingError(f"{name} has no snapshot of {day}: no trading day, or nothing is known of it.", "cli")
    return found


def _rows(one: Snapshot, other: Snapshot | None = None) -> Iterator[Point]:
    before = {(each["start"], each["end"]): each["price"] for each in (other["points"] if other else ())}
    for each in one["points"]:
        against = before.get((each["start"], each["end"]))
        change = None if against is None else each["price"] - against
        yield {"curve": one["curve"], "session": one["session"], **each, "against": against, "change": change}


def _picture(found: list[Snapshot]) -> list[str]:
    one = found[0]
    if not one["points"]:
        return ["It has no points."]
    steps = [[_step(point["start"], point["end"], point["price"]) for point in each["points"]] for each in found]
    others = "".join(f", dots: {each['session']}" for each in found[1:])
    title = f"{one['curve']} of {one['session']}{others}" + (f", {one['unit']}" if one["unit"] else "")
    return [title, *drawn(steps, [one["points"][0]["start"][:10], one["points"][-1]["end"][:10]])]


def _step(start: str, end: str, price: Decimal) -> Step:
    return Step(datetime.fromisoformat(start).timestamp(), datetime.fromisoformat(end).timestamp(), float(price))


def _say(one: Snapshot) -> None:
    """What the points do not show, on standard error."""
    version = f", version {one['version']}" if one["version"] else ""
    partial = ", partial" if one["partial"] else ""
    print(f"Session {one['session']}{version}{partial}, known at {one['known_at']}.", file=sys.stderr)
    for each in one["rejected"]:
        print(f"Not in it: {', '.join(each['inputs'])} at {each['price']}: {each['reason']}.", file=sys.stderr)
    if one["complete"] is False:
        print("Provisional: what was published by then may not all have landed yet.", file=sys.stderr)
