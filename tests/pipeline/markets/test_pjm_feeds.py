"""Which feed of PJM a document is: columns, address, name, stamps and what the sender says; and what is none."""

import json

import pytest

from pipeline import markets
from pipeline.errors import DataProcessingError
from pipeline.markets import caiso, ercot, miso, nyiso, pjm
from tests.pipeline import making
from tests.pipeline.markets.pjm_files import (
    DA,
    FAST,
    FAST_HOURS,
    FIVE,
    FIVES,
    HOUR,
    NOON,
    RT,
    answer,
    every,
    export,
    fast,
    fast_hour,
    parse,
    verified,
)

ONE, HOURS, FIVE_MINUTES = (
    export(*(verified(at) for at in every(step, NOON, n))) for step, n in ((HOUR, 1), (HOUR, 3), (FIVE, 3))
)
AHEAD = export(verified(side="da"))
BOTH = verified() | {name.replace("_rt", "_da"): cell for name, cell in verified(total_lmp_rt="20").items()}


@pytest.mark.parametrize(
    ("data", "name", "product", "expected"),
    [(ONE, RT, None, "rt_hourly"), (ONE, FIVES, None, "rt_5min"), (ONE, "-", "rt_5min", "rt_5min"),
     (ONE, "x.csv", "rt_hourly", "rt_hourly"), (HOURS, "-", None, "rt_hourly"), (FIVE_MINUTES, "-", None, "rt_5min"),
     (export(verified(), verified(NOON + FIVE)), "-", None, "rt_5min"),
     (FIVE_MINUTES, "RT_FiveMin_Hrl_LMPs (1).csv", None, "rt_5min"),
     (AHEAD, "-", None, "da_hourly"), (AHEAD, RT, None, "da_hourly"), (AHEAD, "x", "da_hourly", "da_hourly"),
     (HOURS, DA, None, "rt_hourly"), (export(fast()), FAST, None, "rt_5min"),
     (export(fast_hour()), FAST_HOURS, None, "rt_hourly"),
     (answer(verified()), "-", None, "rt_hourly"),
     (answer(verified(), feed="rt_fivemin_hrl_lmps"), "-", None, "rt_5min"),
     (answer(verified(), feed="rt_fivemin_hrl_lmps"), RT, None, "rt_5min"),
     (answer(fast(), feed="rt_unverified_fivemin_lmps"), "-", None, "rt_5min"),
     (answer(*(verified(at) for at in every(HOUR, NOON, 2)), feed="rt_fivemin_hrl_lmps"), "-", None, "rt_5min"),
     (export(BOTH), "-", "da_hourly", "da_hourly"), (export(BOTH), "-", "rt_hourly", "rt_hourly")],
)  # fmt: skip
def test_what_tells_the_feed(data: bytes, name: str, product: str | None, expected: str) -> None:
    read = parse(data, name, product)
    assert read.rejects.height == 0
    assert read.ticks["product"].unique().to_list() == [expected]


def test_a_feed_of_both_markets_gives_the_wanted_one() -> None:
    assert [parse(export(BOTH), "-", product).ticks["price"].item() for product in ("da_hourly", "rt_hourly")] == [
        20,
        30.25,
    ]


@pytest.mark.parametrize(
    ("data", "name", "product", "word"),
    [(ONE, "-", None, "name the product"), (ONE, DA, None, "name the product"),
     (answer(verified(), feed=None), "x.json", None, "name the product"),
     (export(BOTH), "-", None, "name the product"), (export(BOTH), "-", "rt_5min", "name the product"),
     (ONE, RT, "rt_5min", "of rt_hourly, not of rt_5min"), (AHEAD, DA, "rt_hourly", "of da_hourly, not of rt_hourly"),
     (HOURS, "-", "rt_5min", "of rt_hourly, not of rt_5min"), (ONE, RT, "x", "none of PJM's"),
     (FIVE_MINUTES, RT, None, "most stamps lie within hours"), (HOURS, FIVES, None, "all stamps lie on the hour"),
     (export(*(verified(at, side="da") for at in every(FIVE, NOON, 3))), DA, None, "most stamps lie within hours"),
     (export(verified()).partition(b"\r\n")[0], RT, None, "no data row"), (answer(), RT, None, "no data row"),
     (b"[]", RT, None, "no data row"), (b"<html>busy</html>", RT, None, "web page"), (b"", RT, None, "empty"),
     (b"a,b\n1,2", RT, None, "no LMP feed"),
     (export({"datetime_beginning_utc": "x", "shadow_price": "1"}), "-", None, "no LMP feed"),
     (answer({"datetime_beginning_utc": "x", "mcp": "1"}, feed="ancillary_services"), "-", None, "no LMP feed"),
     (export({"pnode_id": "1", "total_lmp_rt": "1"}), "-", None, "no column datetime_beginning_utc"),
     (export({name: "1" for name in verified() if "datetime" not in name}), "-", None, "datetime_beginning_utc"),
     (export(verified() | {"x": "1"}).replace(b",x\r", b",type\r"), RT, None, "type 2 times"),
     (answer(verified())[:-400], RT, None, "truncated"), (b'{"items": 7}', RT, None, "list of records"),
     (b'{"items": [1, 2]}', RT, None, "list of records"), (b"{}", RT, None, "list of records")],
)  # fmt: skip
def test_whole_refusals(data: bytes, name: str, product: str | None, word: str) -> None:
    with pytest.raises(DataProcessingError, match=word):
        parse(data, name, product, "pjm")


@pytest.mark.parametrize(
    ("told", "word"),
    [({"statusCode": 401, "message": "Access denied, no key"}, "Access denied, no key"),
     ({"errors": [{"field": "rowCount", "message": "too many"}]}, "too many"),
     ({"error": {"code": "404"}}, "404"), ({"message": "slow down", "items": []}, "slow down")],
)  # fmt: skip
def test_an_error_answer_is_refused_with_its_text(told: object, word: str) -> None:
    with pytest.raises(DataProcessingError, match=f"answered with an error.*{word}"):
        parse(json.dumps(told).encode(), RT)


def test_claims() -> None:
    for ours in (ONE, AHEAD, answer(verified()), export(fast_hour()), b"datetime_beginning_ept,mw", answer(feed="x")):
        assert pjm.claims("-", ours)
        assert not any(other.claims("-", ours) for other in (caiso, ercot, miso, nyiso))
    assert pjm.claims(RT, b'{"message": "busy"}')
    for other in (b"", b"a,b\n1,2", b"[]", making.oasis(*making.interval()), b"Node,Type,Value,HE 1"):
        assert not pjm.claims("x.csv", other)
    assert markets.PARSERS["pjm"] is pjm
