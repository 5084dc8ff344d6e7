"""Prices of many publications at once, against a replay of each by its own."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from pipeline.flags import Flag
from pipeline.publications import IDENTITY, current
from pipeline.schema import SEEN, TICKS, conform

START = datetime(2026, 7, 1, tzinfo=UTC)


def _row(of: int, known: int, version: int, price: int, flag: int, parser: int) -> dict[str, Any]:
    at = START + timedelta(minutes=of)
    return {
        "tenant": "t", "instrument": "I", "market": "m", "product": "tick", "ts": at, "start": at, "source_rank": 1,
        "event_id": "", "price": Decimal(price), "volume": Decimal(7), "flags": flag, "version": version,
        "known_at": START + timedelta(seconds=known), "topic_id": "a", "partition": 0, "offset": known, "row": 0,
        "parser_version": parser,
    }  # fmt: skip


_rows = st.lists(
    st.builds(
        _row,
        st.integers(0, 3),
        st.integers(0, 9),
        st.integers(0, 2),
        st.integers(1, 2),
        st.sampled_from([int(Flag.VALID), int(Flag.ADVISORY)]),
        st.integers(1, 2),
    ),
    max_size=12,
    # A publication is stored once for each parser that has read it.
    unique_by=lambda row: (row["ts"], row["known_at"], row["version"], row["parser_version"]),
)


def _by_hand(publications: list[dict[str, Any]]) -> tuple[dict[str, Any], int]:
    """The last effective publication, and how many there were before it."""
    newest: dict[Any, dict[str, Any]] = {}
    for row in sorted(publications, key=lambda row: row["parser_version"]):
        newest[row["known_at"], row["version"]] = row
    highest, shown, effective = -1, None, []
    for row in sorted(newest.values(), key=lambda row: row["known_at"]):
        if row["version"] < highest:
            continue
        content = (row["price"], row["flags"])
        if content != shown:
            effective.append(row)
        highest, shown = row["version"], content
    return effective[-1], len(effective) - 1


@given(_rows)
def test_the_current_price_is_the_latest_effective_publication(rows: list[dict[str, Any]]) -> None:
    # Of one message row there is one version.
    rows = list({(row["ts"], row["known_at"], row["parser_version"]): row for row in rows}.values())
    rows = [row for row in rows if not any(_contradicts(row, other) for other in rows)]
    frame = pl.DataFrame(rows, schema={name: dtype for name, dtype in SEEN.items() if not rows or name in rows[0]})
    found = current(conform(frame, SEEN).sort("start"))
    expected = [_by_hand([row for row in rows if row["ts"] == at]) for at in sorted({row["ts"] for row in rows})]
    assert found.columns == [*TICKS, "revision"]
    assert found.select("start", "price", "flags", "known_at", "revision").rows() == [
        (row["start"], row["price"], row["flags"], row["known_at"], revision) for row, revision in expected
    ]


def _contradicts(row: dict[str, Any], other: dict[str, Any]) -> bool:
    same = (row["ts"], row["known_at"]) == (other["ts"], other["known_at"])
    return same and row["version"] != other["version"]


def test_identities_are_told_apart_by_every_part_of_theirs() -> None:
    one = _row(0, 0, 0, 1, 1, 1)
    others = [one | {"tenant": "u"}, one | {"instrument": "J"}, one | {"source_rank": 0}, one | {"event_id": "e"}]
    frame = pl.DataFrame([one, *others], schema={name: dtype for name, dtype in SEEN.items() if name in one})
    assert current(conform(frame, SEEN)).height == len(IDENTITY)
