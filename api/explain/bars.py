"""The working behind one bar."""

from asyncio import to_thread
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

import msgspec
import polars as pl

from api import render, shapes
from api.coverage import Instrument
from api.explain.bucket import next_finer
from api.explain.publications import Bucket, judged
from api.explain.working import Working, worked
from api.moment import Moment, arrived
from api.problems import not_found
from api.reads.ports import Reads, Window
from db.clickhouse.explain import Publications
from db.clickhouse.rollup import RULE_VERSION
from pipeline.flags import Flag
from pipeline.schema import REFERENCE, conform
from pipeline.shown import AMOUNTS, flag_names

MOST: Final = 10_000  # publications of one answer
ORDER: Final = "by start, documents before single prices, event id, published instant"
_SHOWN: Final = (
    "number", "counts", "why", "effective", "revision", "known_at", "topic", "topic_id", "partition", "offset", "row",
    "published_for", "event_id", "interval_start", "interval_end", "hold_end", *AMOUNTS, "flags", "version", "source",
    "parser_version",
)  # fmt: skip


class Explained(NamedTuple):
    """`bar`: its row (`api.shapes.BAR`), made under the rules of number `rule`, of what had arrived up to `past`;
    `publications`: the first of `total`, where they are not `whole`; `working`: None then, and where none of them
    counts any more."""

    past: datetime
    bar: pl.DataFrame
    rule: int
    publications: pl.DataFrame
    total: int
    whole: bool
    working: Working | None

    @property
    def agrees(self) -> bool | None:
        """Whether the numbers that were worked out are those of the bar; None where not all was read."""
        if self.working is None:
            return False if self.whole else None
        row = self.bar.row(0, named=True)
        return all(row[name] == value for name, value in self.working.facts.items())


async def explain(reads: Reads, one: Instrument, bucket: Bucket, known: Moment | None) -> Explained:
    """What there is to tell of a bar; 404 where there is none."""
    past = await arrived(reads, known)
    bar, rule = await _bar(reads, one, bucket, known)
    if bar.is_empty():
        raise not_found(
            f"start: {one.name} has no {bucket.interval} bar that begins then: none of its prices counts in it. "
            "/v1/ticks with revisions=true shows what there is."
        )
    at = known and known.at
    seen = await reads.bar_publications(one.tenant, one.name, bucket.start, bucket.end, at, MOST)
    topics = await reads.topics_of(seen.rows["topic_id"].unique().to_list())
    told, working = await to_thread(_explained, seen, topics, bucket, one.product.grace)
    return Explained(past, bar, rule, told, seen.total, seen.whole, working)


async def _bar(reads: Reads, one: Instrument, bucket: Bucket, known: Moment | None) -> tuple[pl.DataFrame, int]:
    if known is None:
        bar, rule = await reads.stored_bar(one.tenant, one.name, *bucket)
        return bar, rule or RULE_VERSION
    window = Window(bucket.start, bucket.end, None, 1)
    return (await reads.known_bars(_reference(one), bucket.interval, window, known.at)).rows, RULE_VERSION


def _reference(one: Instrument) -> pl.DataFrame:
    return conform(pl.DataFrame([one.row]).select(list(REFERENCE)), REFERENCE)


def _explained(
    seen: Publications, topics: Mapping[str, str], bucket: Bucket, grace: timedelta
) -> tuple[pl.DataFrame, Working | None]:
    told = judged(seen.rows, bucket, grace)
    working = worked(told, bucket, grace) if seen.whole and told["counts"].any() else None
    topic = pl.col("topic_id").replace_strict(dict(topics), default=None, return_dtype=pl.String)
    return told.with_columns(topic=topic), working


def text(one: Instrument, what: Explained, known: Moment | None, *, as_text: bool) -> str:
    """The fields of `api.schemas.explain.BarExplained` as JSON."""
    bar = shapes.shown_bars(what.bar, _reference(one), what.past)
    head: dict[str, Any] = {
        "complete": None if known is None else known.complete,
        "agrees": what.agrees,
        "rule_version": what.rule,
        "order": ORDER,
        "formula": what.working and what.working.formula,
        "advice": None if what.whole else _advice(one, what),
        "publication_count": what.total,
    }
    prices = what.publications.clear() if what.working is None else what.working.prices
    parts = (
        f'{{"bar":{render.rows(bar, decimals_as_text=as_text)}',
        msgspec.json.encode(head).decode()[1:-1],
        f'"prices":[{render.rows(prices, decimals_as_text=as_text)}]',
        f'"publications":[{render.rows(_shown(what.publications), decimals_as_text=as_text)}]}}',
    )
    return ",".join(parts)


def _advice(one: Instrument, what: Explained) -> str:
    """What to ask for instead, where a bar has more publications than one answer lists."""
    finer = next_finer(one, what.bar["interval"][0])
    listed = f"The first {what.publications.height} of {what.total} publications are listed, and nothing is worked out."
    if finer is not None:
        return f"{listed} Ask for interval {finer}."
    return f"{listed} No bar is finer: /v1/ticks with revisions=true gives all that changed a price, page by page."


def _shown(told: pl.DataFrame) -> pl.DataFrame:
    priced = pl.col("flags") & int(Flag.NO_VALUE) == 0
    made = told.with_columns(
        flag_names(told["flags"]), pl.col("ts").alias("published_for"), pl.col("start").alias("interval_start"),
        pl.col("end").alias("interval_end"), pl.when(priced).then("price"),
    )  # fmt: skip
    return made.select(_SHOWN)
