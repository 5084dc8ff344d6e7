"""PJM's LMP feeds: every form of a row, what becomes of broken ones, versions, names without ids."""

from decimal import Decimal

import polars as pl
import pytest

from pipeline.errors import DataProcessingError
from pipeline.flags import Flag, flagged
from pipeline.members import Reading
from tests.pipeline.markets.pjm_files import (
    DA,
    FAST,
    FAST_HOURS,
    FIVE,
    FIVES,
    HOUR,
    NOON,
    RT,
    Cells,
    answer,
    every,
    export,
    fast,
    fast_hour,
    item,
    parse,
    problems,
    verified,
    without,
)

AMOUNTS = ("price", "energy", "congestion", "loss")
PRICE = (Decimal("30.25"), Decimal("28.5"), Decimal("2.75"), Decimal(-1))


def amounts(read: Reading) -> list[tuple[object, ...]]:
    return read.ticks.select(AMOUNTS).rows()


# The forms


@pytest.mark.parametrize("side", ["da", "rt"])
def test_a_price_of_a_verified_feed(side: str) -> None:
    (tick,) = parse(export(verified(side=side)), DA if side == "da" else RT).ticks.to_dicts()
    assert tick == {
        "market": "pjm", "product": f"{side}_hourly", "location": "51217", "location_type": "HUB",
        "location_name": "EASTERN HUB", "instrument": f"pjm.{side}_hourly.51217", "ts": NOON, "start": NOON,
        "end": NOON + HOUR, "hold_end": NOON + HOUR, **dict(zip(AMOUNTS, PRICE, strict=True)), "ghg": None,
        "volume": None, "derived": False, "version": 1, "row": 1,
    }  # fmt: skip


def test_a_price_of_the_unverified_five_minutes() -> None:
    (tick,) = parse(export(fast()), FAST).ticks.to_dicts()
    assert tick == {
        "market": "pjm", "product": "rt_5min", "location": "51217", "location_type": "HUB",
        "location_name": "EASTERN HUB", "instrument": "pjm.rt_5min.51217", "ts": NOON, "start": NOON,
        "end": NOON + FIVE, "hold_end": NOON + FIVE, **dict(zip(AMOUNTS, PRICE, strict=True)), "ghg": None,
        "volume": None, "derived": True, "version": 0, "row": 1,
    }  # fmt: skip


def test_the_energy_of_an_unverified_price_is_exact_and_flagged() -> None:
    row = fast(total_lmp_rt="-20.123457", congestion_price_rt="-45.000001", marginal_loss_price_rt=".100002")
    read = parse(export(row), FAST)
    assert amounts(read) == [tuple(map(Decimal, ("-20.123457", "24.776542", "-45.000001", "0.100002")))]
    (bits,) = flagged(read.ticks.with_columns(known_at=pl.lit(NOON)))["flags"]
    assert bits == Flag.VALID | Flag.PRICE_NEGATIVE | Flag.DERIVED


FORMS = [
    export(verified(), verified(NOON + HOUR)), export(verified(), verified(NOON + HOUR), line_end="\n"),
    export(verified(), verified(NOON + HOUR)).rstrip(), b"\xef\xbb\xbf" + export(verified(), verified(NOON + HOUR)),
    b"\r\n" + export(verified(), verified(NOON + HOUR)),
    export(verified(voltage='"230 KV"'), verified(NOON + HOUR, pnode_name='"EASTERN HUB"')),
    answer(verified(), verified(NOON + HOUR)), answer(verified(), verified(NOON + HOUR), feed=None),
    answer(verified(), verified(NOON + HOUR)).replace(b", ", b",\r\n  "),
    b"\xef\xbb\xbf\n" + answer(verified(), verified(NOON + HOUR)),
    f"[{item(verified())}, {item(verified(NOON + HOUR))}]".encode(),
    export(*(dict(reversed(verified(at).items())) for at in (NOON, NOON + HOUR))),
    export(*({"rowid": "x", **verified(at), "occ_check": ""} for at in (NOON, NOON + HOUR))),
    export(*(without(verified(at), "datetime_beginning_ept") for at in (NOON, NOON + HOUR))),
    export(*(without(verified(at), "datetime_beginning_utc") for at in (NOON, NOON + HOUR))),
    answer(*(without(verified(at), "datetime_beginning_ept", "voltage", "zone") for at in (NOON, NOON + HOUR))),
    export(*(without(verified(at), "row_is_current", "version_nbr") for at in (NOON, NOON + HOUR))),
    export(*(verified(at, version_nbr="") for at in (NOON, NOON + HOUR))),
    export(*(verified(at, pnode_id="051217") for at in (NOON, NOON + HOUR))),
]  # fmt: skip


@pytest.mark.parametrize("data", FORMS, ids=range(len(FORMS)))
def test_all_forms_say_the_same(data: bytes) -> None:
    read = parse(data)
    assert read.rejects.height == 0
    assert read.ticks.select("start", "product", "location", "location_name", "location_type", "version").rows() == [
        (at, "rt_hourly", "51217", "EASTERN HUB", "HUB", 1) for at in (NOON, NOON + HOUR)
    ]
    assert amounts(read) == [PRICE] * 2


def test_iso_stamps_of_a_csv_answer() -> None:
    rows = [
        verified(at, datetime_beginning_utc=at.strftime("%Y-%m-%dT%H:%M:%S"), datetime_beginning_ept="")
        for at in every(FIVE, NOON, 3)
    ]
    assert parse(export(*rows)).ticks["start"].to_list() == every(FIVE, NOON, 3)


def test_texts_in_json_are_unescaped_and_numbers_keep_their_digits() -> None:
    data = answer(verified(pnode_name='A "B" é', total_lmp_rt="30.2500001")).replace(b"51217", b'"51217"')
    (tick,) = parse(data).ticks.to_dicts()
    assert (tick["location"], tick["location_name"]) == ("51217", 'A "B" é')
    assert tick["price"] == Decimal("30.2500001")


def test_a_page_of_an_answer_is_a_document() -> None:
    assert parse(answer(verified(), total=1_000_000)).ticks.height == 1


# Versions


def test_superseded_rows_are_history_by_their_version_alone() -> None:
    old = verified(row_is_current="False", total_lmp_rt="99.25")
    new = verified(version_nbr="2")
    for rows in ((old, new), (new, old)):
        read = parse(export(*rows), RT)
        assert sorted(read.ticks.select("version", "price").rows()) == [(1, Decimal("99.25")), (2, Decimal("30.25"))]


def test_repeats_collapse_and_what_differs_stays_in_order() -> None:
    rows = [verified(total_lmp_rt=price) for price in ("1", "1", "2", "2", "1")]
    read = parse(export(*rows), RT)
    assert read.ticks.select("row", "price").rows() == [(1, 1), (3, 2), (5, 1)]


def test_unverified_prices_are_below_verified_ones_of_the_same_identity() -> None:
    kept = ["instrument", "ts", "version"]
    low, high = (
        parse(export(row), name).ticks.select(kept).row(0) for row, name in ((fast(), FAST), (verified(), FIVES))
    )
    assert low == ("pjm.rt_5min.51217", NOON, 0)
    assert high == ("pjm.rt_5min.51217", NOON, 1)


def test_settled_prices_without_version_are_verified() -> None:
    row = without(verified(NOON + FIVE), "row_is_current", "version_nbr", "datetime_beginning_ept")
    (tick,) = parse(answer(row, feed="rt_fivemin_mnt_lmps")).ticks.to_dicts()
    assert (tick["product"], tick["version"], tick["derived"]) == ("rt_5min", 1, False)


# Gaps and parts


@pytest.mark.parametrize("nothing", ["", " ", "NaN", "nan", "N/A", "-"])
def test_a_missing_price_is_a_gap_and_a_missing_part_is_null(nothing: str) -> None:
    names = ("total_lmp_rt", "system_energy_price_rt", "congestion_price_rt", "marginal_loss_price_rt")
    read = parse(export(*(verified(NOON + HOUR * n, **{name: nothing}) for n, name in enumerate(names))), RT)
    assert read.rejects.height == 0
    assert read.ticks["row"].to_list() == [2, 3, 4]
    for place, row in enumerate(amounts(read), 1):
        assert row == tuple(None if n == place else value for n, value in enumerate(PRICE))


def test_null_is_a_gap_and_zero_a_price() -> None:
    read = parse(answer(verified(total_lmp_rt=""), verified(NOON + HOUR, total_lmp_rt="0.000000")))
    assert (read.rejects.height, read.ticks["price"].to_list()) == (0, [0])


def test_an_unverified_price_without_a_part_has_no_energy() -> None:
    assert amounts(parse(export(fast(congestion_price_rt="")), FAST)) == [(PRICE[0], None, None, PRICE[3])]


@pytest.mark.parametrize("kept", [(), ("congestion_price_rt",), ("congestion_price_rt", "system_energy_price_rt")])
def test_parts_that_were_not_asked_for_are_null(kept: tuple[str, ...]) -> None:
    wanted = ("datetime_beginning_utc", "pnode_id", "total_lmp_rt", *kept)
    row = {name: cell for name, cell in verified().items() if name in wanted}
    read = parse(answer(row))
    assert (read.rejects.height, read.ticks["derived"].item()) == (0, False)
    parts = {
        "price": "total_lmp_rt",
        "energy": "system_energy_price_rt",
        "congestion": "congestion_price_rt",
        "loss": "",
    }
    assert amounts(read) == [tuple(Decimal(row[name]) if name in row else None for name in parts.values())]


# Names without ids


def test_the_unverified_hours_are_placed_by_name() -> None:
    read = parse(export(fast_hour(), fast_hour(NOON + HOUR), fast_hour(name=" AEP ", type="ZONE")), FAST_HOURS)
    assert read.rejects.height == 0
    places = ["instrument", "location", "location_name", "location_type", "version", "derived"]
    hub = ("pjm.rt_hourly.EASTERN HUB", "EASTERN HUB", None, "HUB", 0, True)
    assert read.ticks.select(places).rows() == [hub, hub, ("pjm.rt_hourly.AEP", "AEP", None, "ZONE", 0, True)]
    assert amounts(read) == [PRICE] * 3


def test_a_name_of_several_prices_is_refused_and_a_repeat_is_not() -> None:
    other = fast_hour(name="AEP", total_lmp_rt="1")
    rows = [
        fast_hour(),
        other,
        fast_hour(),
        fast_hour(total_lmp_rt="1", name="AEP", type="ZONE"),
        fast_hour(NOON + HOUR, name="AEP"),
    ]
    read = parse(export(*rows), FAST_HOURS)
    assert problems(read) == [(2, "pnode_name", "AEP"), (4, "pnode_name", "AEP")]
    assert "no pnode_id tells them apart" in read.rejects["reason"][0]
    assert read.ticks.select("row", "location").rows() == [(1, "EASTERN HUB"), (5, "AEP")]


@pytest.mark.parametrize(
    ("row", "name"),
    [(without(fast(NOON + FIVE), "pnode_id"), FAST), (without(verified(), "pnode_id"), RT),
     (without(verified(side="da"), "pnode_id"), DA), (without(fast_hour(), "pnode_name"), FAST_HOURS)],
)  # fmt: skip
def test_other_feeds_need_their_ids(row: Cells, name: str) -> None:
    with pytest.raises(DataProcessingError, match="no column pnode_id"):
        parse(export(row), name, market="pjm")
