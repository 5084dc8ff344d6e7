"""Instants in local time, beside those in UTC, where a caller asks for a zone."""

from collections.abc import Mapping
from difflib import get_close_matches
from functools import cache, lru_cache
from typing import Annotated, Any, Final
from zoneinfo import available_timezones

import polars as pl
from pydantic import AfterValidator, Field

from pipeline.bars import day_zone
from pipeline.zones import is_zone

MARKET: Final = "market"
TICK_INSTANTS: Final = ("interval_start", "interval_end")
BAR_INSTANTS: Final = ("start", "end")
_NEAR: Final = 3  # names that are told beside an unknown one


def zone_name(given: str) -> str:
    """`market`, or a zone that is known."""
    if given == MARKET or _is_known(given):
        return given
    near = _near(given)
    hint = f"Near: {', '.join(near)}." if near else "Names are those of the IANA database, e.g. America/Chicago."
    raise ValueError(f"is no time zone. {hint} `market` is the instrument's own.")


TimeZone = Annotated[
    str,
    Field(
        max_length=64,
        description="adds the instants in local time, with their offset: `market` is each instrument's own zone, else "
        "`UTC` or a name of the IANA database",
        examples=["America/Chicago"],
    ),
    AfterValidator(zone_name),
]


def zones_of(reference: pl.DataFrame, timezone: str) -> pl.DataFrame:
    """`tenant, instrument, zone` of rows of the reference, in the zone that is asked for."""
    zone = _own(reference) if timezone == MARKET else pl.lit(timezone)
    return reference.select("tenant", "instrument", zone=zone)


def with_local(
    rows: pl.DataFrame, reference: pl.DataFrame, timezone: str | None, instants: tuple[str, ...]
) -> pl.DataFrame:
    """The rows (`tenant, instrument` and these instants) with the columns `{name}_local` beside them: local times in
    ISO 8601 with their offset. As they are where no zone is asked for."""
    if timezone is None:
        return rows
    zones = zones_of(reference, timezone)
    placed = rows.join(zones, on=["tenant", "instrument"], how="left", maintain_order="left")
    return _local_columns(rows, placed["zone"], instants)


def local_to(
    rows: pl.DataFrame, one: Mapping[str, Any], timezone: str | None, instants: tuple[str, ...]
) -> pl.DataFrame:
    """The same of rows that all belong to this row of the reference."""
    if timezone is None:
        return rows
    zone = (one["zone"] or day_zone(one["market"], one["product"])) if timezone == MARKET else timezone
    return _local_columns(rows, pl.repeat(zone, rows.height, dtype=pl.String, eager=True), instants)


def _local_columns(rows: pl.DataFrame, zones: pl.Series, instants: tuple[str, ...]) -> pl.DataFrame:
    names = zones.unique().drop_nulls().to_list()
    local = {name: _local(name, zones, names).alias(f"{name}_local") for name in instants}
    last = rows.columns.index(instants[-1]) + 1
    return rows.select(*rows.columns[:last], *local.values(), *rows.columns[last:])


def _local(name: str, zones: pl.Series, names: list[str]) -> pl.Expr:
    own = pl.lit(zones)
    told = [pl.when(own == zone).then(_text(pl.col(name).dt.convert_time_zone(zone))) for zone in names]
    return pl.coalesce(*told) if told else pl.lit(None, pl.String)


def _text(local: pl.Expr) -> pl.Expr:
    """`2026-11-01T01:00:00-05:00`, with the decimals of the second that are there."""
    second = local.dt.strftime("%Y-%m-%dT%H:%M:%S%.6f").str.strip_chars_end("0").str.strip_suffix(".")
    return second + local.dt.strftime("%:z")


def _own(reference: pl.DataFrame) -> pl.Expr:
    """The instrument's zone, else its market's."""
    pairs = reference.select("market", "product").unique()
    known = [
        pl.when((pl.col("market") == market) & (pl.col("product") == product)).then(pl.lit(day_zone(market, product)))
        for market, product in pairs.iter_rows()
    ]
    return pl.coalesce("zone", *known)


@lru_cache(maxsize=1024)
def _is_known(name: str) -> bool:
    return is_zone(name)


def _near(given: str) -> list[str]:
    """Known names that begin as what was given, look like it, or whose place does; the nearest first."""
    every, wanted = _by_place(), given.casefold()
    begun = [place for place in every if wanted and place.startswith(wanted)]
    places = [*begun, *get_close_matches(wanted, every, _NEAR, 0.7)]
    names = dict.fromkeys(name for place in places for name in every[place])
    return [name for name in names if _is_known(name)][:_NEAR]


@cache
def _by_place() -> dict[str, list[str]]:
    """Names of zones, by themselves and by their place (`chicago`), in lower case."""
    found: dict[str, list[str]] = {}
    for name in sorted(available_timezones()):
        for key in {name.casefold(), name.rpartition("/")[2].casefold()}:
            found.setdefault(key, []).append(name)
    return found
