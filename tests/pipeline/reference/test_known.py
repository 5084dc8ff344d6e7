"""What is known of instruments: facts fill what is missing, and one new instrument costs only itself."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal

import polars as pl
import pytest

from pipeline.reference import known as module
from pipeline.reference.known import KNOWN, Held, held, known
from pipeline.reference.tables import TABLES
from pipeline.schema import REFERENCE, conform
from tests.tables import empty_tables

DAY = date(2026, 7, 1)


def rows(*names: str, **more: object) -> pl.DataFrame:
    given = [{"tenant": "public", "instrument": name, "market": "powerx", "product": "tick"} | more for name in names]
    return conform(pl.DataFrame(given), REFERENCE)


def facts(**given: object) -> Mapping[str, pl.DataFrame]:
    row = {"tenant": "public", "instrument": "A", "confirmed": True, "source": "here"} | given
    return {**empty_tables(), "instrument_facts": conform(pl.DataFrame([row]), TABLES["instrument_facts"].schema)}


def test_a_fact_completes_an_instrument_on_its_days() -> None:
    tables = facts(
        commodity="power", unit="USD/MWh", currency="USD", zone="UTC", tick_size=Decimal("0.01"), valid_from=DAY
    )
    found = known(rows("A", "B"), tables, DAY)
    assert found.schema == KNOWN
    assert found.select("commodity", "unit", "complete", "tick_size").rows() == [
        ("power", "USD/MWh", True, Decimal("0.01")),
        (None, None, False, None),
    ]
    assert known(rows("A"), tables, date(2026, 6, 30)).select("unit", "complete").rows() == [(None, False)]


def test_only_what_is_new_is_worked_out_again(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[list[str]] = []

    def counted(instruments: pl.DataFrame, tables: Mapping[str, pl.DataFrame], day: date) -> pl.DataFrame:
        asked.append(instruments["instrument"].to_list())
        return known(instruments, tables, day)

    monkeypatch.setattr(module, "known", counted)
    tables = facts(unit="USD/MWh")
    first = held(rows("A", "B", "C"), tables, 1, DAY, None)
    assert held(rows("A", "B", "C"), tables, 1, DAY, first) is first
    some = pl.concat([rows("A"), rows("B", unit="EUR"), rows("D")])
    second = held(some, tables, 1, DAY, first)
    assert asked == [["A", "B", "C"], ["B", "D"]]
    _expect_whole(second, some, tables)
    third = held(some, empty_tables(), 2, DAY, second)
    _expect_whole(third, some, empty_tables())
    assert held(some, tables, 1, date(2026, 7, 2), second).day == date(2026, 7, 2)
    assert [len(each) for each in asked] == [3, 2, 3, 3]


def _expect_whole(found: Held, instruments: pl.DataFrame, tables: Mapping[str, pl.DataFrame]) -> None:
    assert found.known.sort("instrument").equals(known(instruments, tables, DAY).sort("instrument"))
