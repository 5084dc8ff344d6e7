"""Local times of a zone that changes its clock, to UTC. Of an hour that comes twice, the order of the rows tells which.

Nothing is guessed: a local time that neither the order nor the zone's name settles has a reason instead of an instant.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Final, Literal

import polars as pl

from pipeline.distinct import spread
from pipeline.rejects import no_problem

Ambiguous = Literal["earliest", "latest"]

NOT_THERE: Final = "is no time of that day: the clock goes forward over it"
TWICE: Final = "comes twice on that day and no other row tells which one it is: send the whole day's file"
MIXED: Final = "comes twice on that day, and the rows are not in the order of publication: send the file as published"
ONCE: Final = "comes once on that day, but its flag says that it is the second one"
UNFLAGGED: Final = "comes twice on that day and no flag tells which one it is: send the report with its flag"
_LAST: Final = 2  # turns that a repeated hour has


def by_order(local: pl.Series, of: pl.Series, zone: str, *, whole_hours: bool) -> tuple[pl.Series, pl.Series]:
    """(UTC instants, reasons) of naive times in the order of a document's rows; a null time has neither.

    `of`: whose row it is. The rows lie in the order of their instants, for all together or for one `of` after the
    other. Where they step by `whole_hours`, the repeated hour has begun again when an `of` comes again; else when the
    time goes back.
    """
    rows = pl.DataFrame({"local": local, "of": of}).hstack(_readings(local, zone))
    lost = local.is_not_null() & rows["first"].is_null()
    if not (rows["first"] != rows["second"]).any():
        return rows["first"], no_problem(local.len()).set(lost, NOT_THERE)
    rows = rows.with_row_index("at")
    turns = _turns(rows.filter(pl.col("first").is_not_null()), whole_hours=whole_hours)
    told = rows.join(turns, on="at", how="left", maintain_order="left").select(
        instant=pl.when(pl.col("turn") == 0).then("first").when(pl.col("turn") == 1).then("second"),
        reason=pl.when(pl.col("turn") >= _LAST).then(pl.lit(MIXED)).when(pl.col("turn").is_null()).then(pl.lit(TWICE)),
    )
    return told["instant"], told["reason"].set(lost, NOT_THERE).set(local.is_null(), None)


def by_flag(local: pl.Series, second: pl.Series, zone: str) -> tuple[pl.Series, pl.Series]:
    """(UTC instants, reasons) of naive times, each with a flag that marks the second one of a repeated hour (null: it
    is not told). A null time has neither. A flag at an hour that comes once contradicts it."""
    rows = pl.DataFrame({"local": local, "flag": second}).with_columns(*_read(zone))
    read = rows.select(instant=_BY_FLAG, reason=_FLAG_PROBLEM)
    return read["instant"], read["reason"]


def by_name(local: pl.Series, names: pl.Series, zone: str, offsets: Mapping[str, timedelta]) -> pl.Series:
    """UTC instants of naive times beside the zone's name at that time, such as EDT; null where the zone's clock did
    not show that time under that name. `offsets`: from UTC, by name."""
    offset = names.replace_strict(dict(offsets), default=None, return_dtype=pl.Duration("us"))
    instants = (local - offset).dt.replace_time_zone("UTC")
    return instants.set(instants.dt.convert_time_zone(zone).dt.replace_time_zone(None) != local, None)


def _readings(local: pl.Series, zone: str) -> pl.DataFrame:
    """The `first` and `second` instant of times: equal but in a repeated hour, null in a skipped one."""
    return spread(local.to_frame("local"), lambda times: times.select(*_read(zone)))


def _read(zone: str) -> list[pl.Expr]:
    """`first` and `second`."""
    which: tuple[Ambiguous, Ambiguous] = ("earliest", "latest")
    return [
        pl.col("local")
        .dt.replace_time_zone(zone, ambiguous=each, non_existent="null")
        .dt.convert_time_zone("UTC")
        .alias(name)
        for name, each in zip(("first", "second"), which, strict=True)
    ]


def _turns(rows: pl.DataFrame, *, whole_hours: bool) -> pl.DataFrame:
    """`at` and `turn` of the rows: how often their hour had ended before, null where nothing tells.

    A run is the rows of one repeated hour that lie together.
    """
    repeated, day = pl.col("first") != pl.col("second"), pl.col("local").dt.date()
    before, after = pl.col("local").shift(), pl.col("local").shift(-1)
    again = pl.int_range(pl.len()).over("run", "of") if whole_hours else pl.lit(0)
    return (
        rows.with_columns(
            repeated=repeated,
            day=day,
            run=pl.struct(repeated, day).rle_id(),
            back=((before.dt.date() == day) & (pl.col("local") < before)).fill_null(value=False),
            follows=(before.dt.date() == day).fill_null(value=False),
            leads=((after.dt.date() == day) & (after > pl.col("local"))).fill_null(value=False),
        )
        .with_columns(
            turn=pl.col("back").cum_sum().over("run").cast(pl.Int64) + again,
            known=(pl.len().over("run", "of") > 1) if whole_hours else pl.lit(value=True),
        )
        .with_columns(
            both=(pl.col("turn").max().over("run") > 0) & pl.col("repeated"),
            again=pl.col("repeated") & (pl.len().over("run", "turn", "of", "local") > 1),
        )
        .select(
            "at",
            turn=pl.when(~pl.col("repeated"))
            .then(0)
            .when(_sorted())
            .then(_LAST)
            .when("both")
            .then(_between_known())
            .otherwise(_by_neighbours()),
        )
    )


def _sorted() -> pl.Expr:
    """A row that comes again within a turn, and a run in which most do: whoever sorted them mixed both turns."""
    return pl.col("again") | (2 * pl.col("again").sum() > pl.len()).over("run")


def _between_known() -> pl.Expr:
    """The turn of a row of a run of both turns: its own where its `of` has both, else that of the rows around it."""
    known = pl.when("known").then("turn")
    most = pl.col("turn").max()
    before = known.forward_fill().fill_null(0).over("run")
    after = pl.coalesce(known.backward_fill(), most).over("run")
    return pl.when("known").then("turn").when(before == after).then(before)


def _by_neighbours() -> pl.Expr:
    """The turn of a run of one turn: the first where the day's rows lead to it, the second where they only go on
    from it."""
    elsewhere = pl.col("both").any().over("day")
    follows, leads = pl.col("follows").first().over("run"), pl.col("leads").last().over("run")
    return pl.when(elsewhere).then(None).when(follows).then(0).when(leads).then(1)


_REPEATED: Final = pl.col("first") != pl.col("second")
_BY_FLAG: Final = (
    pl.when(_REPEATED & pl.col("flag"))
    .then("second")
    .when((_REPEATED & ~pl.col("flag")) | (~_REPEATED & pl.col("flag").not_().fill_null(value=True)))
    .then("first")
)
_FLAG_PROBLEM: Final = (
    pl.when(pl.col("local").is_null())
    .then(None)
    .when(pl.col("first").is_null())
    .then(pl.lit(NOT_THERE))
    .when(~_REPEATED & pl.col("flag"))
    .then(pl.lit(ONCE))
    .when(_REPEATED & pl.col("flag").is_null())
    .then(pl.lit(UNFLAGGED))
)
