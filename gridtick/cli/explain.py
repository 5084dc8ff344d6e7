"""`gridtick explain`: the working behind one bar."""

import sys
from collections.abc import Iterator
from typing import Annotated, Final

import typer

from gridtick.cli.connection import connected
from gridtick.cli.options import DEFAULT_DATA_DIR, DataDir
from gridtick.cli.output import Format, json_text, plain, write
from gridtick.cli.reading import AsOf
from gridtick.cli.sink import standard_output
from gridtick.client import BarExplained, BarPrice, BarPublication

_NUMBERS: Final = ("open", "high", "low", "close", "count", "volume", "vwap", "twap", "revision")
_WHY: Final = {
    "moved": "begins in another bar now",
    "outranked": "a higher version was known before",
    "repeated": "changed nothing",
    "superseded": "a later one changed the price",
    "advisory": "known before it binds",
    "no_value": "has no value",
}
_REVISION: Final = {"changed": ", a revision: it changed the price", "late": ", a revision: it came late"}


def explain(
    instrument: Annotated[str, typer.Argument(help="An instrument id, e.g. ercot.rt_sced.HB_NORTH.")],
    interval: Annotated[str, typer.Argument(help="1m, 5m, 15m, 1h or 1d (the local day).")],
    start: Annotated[str, typer.Argument(help="Where the bar begins, with an offset: 2026-07-01T00:00:00Z.")],
    *,
    as_of: AsOf = None,
    wanted: Annotated[
        Format | None,
        typer.Option(
            "--format", "-f", help="Default: a page on a terminal, in a pipe NDJSON of the publications. json: it all."
        ),
    ] = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """How a bar came about: its numbers worked out, and which message brought each price, with topic, partition,
    offset, flags and revisions.

    Example: gridtick explain ercot.rt_sced.HB_NORTH 15m 2026-07-01T11:00:00-05:00
    """
    with connected(data_dir) as client:
        found = client.explain(instrument, interval, start, as_of=as_of)
    with standard_output() as out:
        chosen = wanted or (Format.table if out.isatty() else Format.ndjson)
        if chosen in (Format.table, Format.json):
            print(json_text(found) if chosen is Format.json else "\n".join(_page(found)), file=out)
        else:
            write(found["publications"], chosen, BarPublication, ())
    _warn(found)


def register(app: typer.Typer) -> None:
    app.command("explain")(explain)


def _warn(found: BarExplained) -> None:
    """What is to be known beside the rows, in every format."""
    if found["agrees"] is False:
        print("The bar is about to change: a price that has just come is not in it yet. Ask again.", file=sys.stderr)
    if found["complete"] is False:
        print("Provisional: what was published by then may not all have landed yet. Ask again.", file=sys.stderr)
    if found["advice"] is not None:
        print(found["advice"], file=sys.stderr)


def _page(found: BarExplained) -> Iterator[str]:
    bar = found["bar"]
    is_final = "final" if bar["is_final"] else "not final"
    yield f"{bar['instrument']} {bar['interval']} [{bar['start']}, {bar['end']})"
    yield f"  revision {bar['revision']}, last changed {bar['updated_at']}, {is_final}"
    yield from _formula(found)
    if found["prices"]:
        yield from ("", f"Prices, {found['order']}")
    yield from map(_price, found["prices"])
    yield from ("", "Publications, in the order in which they became known")
    for each in found["publications"]:
        yield from _publication(each)


def _price(each: BarPrice) -> str:
    held = "" if each["seconds"] is None else f" for {plain(each['seconds'])} s"
    volume = "" if each["volume"] is None else f", volume {plain(each['volume'])}"
    head = f"  {each['order']}. {plain(each['price'])} from {each['interval_start']}"
    return f"{head}{held}{volume} (#{each['publication']})"


def _formula(found: BarExplained) -> Iterator[str]:
    if (formula := found["formula"]) is None:
        return
    yield ""
    for name in _NUMBERS:
        if (text := formula[name]) is not None:
            yield f"  {name:<8} {text}"


def _publication(each: BarPublication) -> Iterator[str]:
    price = "no price" if each["price"] is None else plain(each["price"])
    why = "counts" if each["why"] is None else f"does not count: {_WHY[each['why']]}"
    revision = "" if each["revision"] is None else _REVISION[each["revision"]]
    yield f"  #{each['number']} {price} from {each['interval_start']}: {why}{revision}"
    topic = each["topic"] or each["topic_id"]
    place = f"{topic}, partition {each['partition']}, offset {each['offset']}, row {each['row']}"
    yield f"     known {each['known_at']}, version {each['version']}, {' '.join(each['flags'])}; {place}"
