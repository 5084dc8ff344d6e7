"""Answers of MISO's pricing API."""

import json
from decimal import Decimal
from typing import Any

import pytest

from pipeline.errors import DataProcessingError
from pipeline.markets import miso
from tests.pipeline.markets.miso_files import (
    FIVE,
    HOUR,
    answer,
    element,
    est,
    parse,
    problems,
)  # fmt: skip

D = Decimal


DAY_AHEAD = "day-ahead/2026-08-04/lmp-expost.json"


HOURS = ("2026-08-04T00:00:00", "2026-08-04T01:00:00")


MINUTES = ("2026-08-04 00:00:00.000", "2026-08-04 00:05:00.000")


def test_the_pricing_api_publishes_energy_and_grades() -> None:
    document = answer(
        element(*MINUTES, "Preliminary"), element(*MINUTES, "Final", lmp="-3.50"), element(*HOURS, "Final"),
        element(*HOURS, "Preliminary", mec=None),
    )  # fmt: skip
    read = parse(document)
    start = est("2026-08-04")
    assert read.ticks.select("product", "version", "start", "end", "price", "energy", "derived").rows() == [
        ("rt_5min", 0, start, start + FIVE, D("21.6"), D("20.94"), False),
        ("rt_5min", 1, start, start + FIVE, D("-3.5"), D("20.94"), False),
        ("rt_hourly", 1, start, start + HOUR, D("21.6"), D("20.94"), False),
        ("rt_hourly", 0, start, start + HOUR, D("21.6"), None, False),
    ]
    assert (miso.claims("x", document), read.rejects.height) == (True, 0)


@pytest.mark.parametrize(
    ("bounds", "name", "product", "told"),
    [
        (HOURS, DAY_AHEAD, None, "da_hourly"),
        (HOURS, "20260804_da_lmp_exante_p1.json", None, "da_exante_hourly"),
        (HOURS, "x", "da_hourly", "da_hourly"),
        (HOURS, "x", "da_exante_hourly", "da_exante_hourly"),
        (MINUTES, "x", None, "rt_exante_5min"),
    ],
)
def test_what_an_answer_does_not_say_its_name_or_sender_must(
    bounds: tuple[str, str], name: str, product: str | None, told: str
) -> None:
    as_interval = element(*bounds)
    as_interval["interval"] = as_interval.pop("timeInterval")
    for each in (element(*bounds, interval="1"), as_interval):
        for document in (answer(each), json.dumps([each]).encode()):
            assert parse(document, name, product).ticks["product"].to_list() == [told]


@pytest.mark.parametrize(
    ("made", "name", "product", "said"),
    [
        (element(*HOURS), "x", None, "name the product"),
        (element(*HOURS), "real-time/2026-08-04/lmp-exante", None, "no preliminaryFinal"),
        (element(*HOURS), "x", "rt_hourly", "no preliminaryFinal"),
        (element(*HOURS), DAY_AHEAD, "da_exante_hourly", "is of da_hourly, not of da_exante_hourly"),
        (element(*HOURS, "Final"), DAY_AHEAD, None, "the file name is of another"),
        (element(*MINUTES), DAY_AHEAD, None, "the file name is of others"),
        (element(*MINUTES, "Final"), "x", "rt_hourly", "is of rt_5min, not of rt_hourly"),
    ],
)
def test_a_contradiction_refuses_an_answer(made: dict[str, Any], name: str, product: str | None, said: str) -> None:
    with pytest.raises(DataProcessingError, match=said):
        parse(answer(made), name, product)


def test_elements_that_are_bad_refuse_themselves_alone() -> None:
    daily = ("2026-08-04T00:00:00", "2026-08-05T00:00:00")
    read = parse(
        answer(
            element(*HOURS, "Final", lmp=None), element(*daily, "Final"), element(*HOURS, "string"),
            element(*HOURS, "Final", timeInterval=None), element("2026-08-04T00:30:00", "2026-08-04T01:30:00", "Final"),
            element(*HOURS, "Final", node="", mlc="-"), element(*HOURS, "Final", mcc={}), element(*HOURS, "Final"),
        )
    )  # fmt: skip
    assert [(number, field) for number, field, _ in problems(read)] == [
        (2, "timeInterval"), (3, "timeInterval"), (4, "timeInterval"), (5, "timeInterval"), (6, "node"), (7, "mcc"),
    ]  # fmt: skip
    assert read.ticks["row"].to_list() == [8]
    assert "an interval of 1440 minutes" in read.rejects["reason"][0]
    assert "neither Preliminary nor Final" in read.rejects["reason"][1]
