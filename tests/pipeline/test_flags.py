from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from pipeline import flags
from pipeline.flags import Flag
from pipeline.schema import TICKS

AT = datetime(2024, 6, 1, 20, tzinfo=UTC)


def names(
    price: str,
    *,
    market: str = "caiso",
    product: str = "rt_5min",
    start: datetime = AT,
    end: timedelta | None = timedelta(minutes=5),
    known: timedelta | None = None,
) -> list[str]:
    row = {"market": market, "product": product, "start": start, "end": start + end if end else None,
           "price": price, "known_at": start + known if known is not None else None}  # fmt: skip
    columns = {name: pl.Series([value]).cast(TICKS[name]) for name, value in row.items()}
    return flags.names(flags.flagged(pl.DataFrame(columns))["flags"][0])


@pytest.mark.parametrize(
    ("price", "expected"),
    [("0", ["VALID"]), ("-0.01", ["VALID", "PRICE_NEGATIVE"]), ("2000", ["VALID"]),
     ("2000.000000001", ["VALID", "OUT_OF_RANGE"]), ("-160", ["VALID", "PRICE_NEGATIVE"]),
     ("-160.00001", ["VALID", "PRICE_NEGATIVE", "OUT_OF_RANGE"])],
)  # fmt: skip
def test_price_flags_keep_the_price_usable(price: str, expected: list[str]) -> None:
    assert names(price) == expected


@pytest.mark.parametrize(
    ("market", "day", "price", "outside"),
    [("ercot", datetime(2021, 12, 31, tzinfo=UTC), "9000", False),
     ("ercot", datetime(2022, 1, 1, tzinfo=UTC), "5000.01", True),
     ("miso", datetime(2025, 9, 29, tzinfo=UTC), "3500.01", True),
     ("miso", datetime(2025, 9, 30, tzinfo=UTC), "9999", False),
     ("pjm", AT, "4000.01", True), ("nyiso", AT, "-1000.01", True), ("elsewhere", AT, "99999", False)],
)  # fmt: skip
def test_bands_by_market_and_day(market: str, day: datetime, price: str, outside: bool) -> None:
    assert ("OUT_OF_RANGE" in names(price, market=market, product="tick", start=day, end=None)) is outside


@pytest.mark.parametrize(
    ("product", "end", "known", "expected"),
    [("rt_5min", timedelta(minutes=5), timedelta(minutes=35), []),
     ("rt_5min", timedelta(minutes=5), timedelta(minutes=35, microseconds=1), ["LATE_ARRIVAL"]),
     ("da_hourly", timedelta(hours=1), timedelta(hours=-36), []),
     ("da_hourly", timedelta(hours=1), timedelta(hours=1, seconds=1), ["LATE_ARRIVAL"]),
     ("tick", None, timedelta(seconds=60), []), ("tick", None, timedelta(seconds=61), ["LATE_ARRIVAL"]),
     ("tick", None, timedelta(days=-300), []), ("unheard_of", None, timedelta(seconds=61), ["LATE_ARRIVAL"]),
     ("rt_5min", timedelta(minutes=5), None, [])],
)  # fmt: skip
def test_lateness_is_the_products(
    product: str, end: timedelta | None, known: timedelta | None, expected: list[str]
) -> None:
    assert names("30", product=product, end=end, known=known) == ["VALID", *expected]


def test_a_price_known_before_it_binds_is_advisory_and_unusable() -> None:
    assert names("30", known=timedelta(minutes=-30)) == ["VALID"]
    assert names("30", known=timedelta(minutes=-30, microseconds=-1)) == ["ADVISORY"]


def test_unusable_and_valid_exclude_each_other() -> None:
    bits = pl.DataFrame({"bits": pl.Series(range(128), dtype=pl.UInt32)})
    usable = bits.select(flags.usable(pl.col("bits"))).to_series().to_list()
    assert usable == ["ADVISORY" not in flags.names(bit) for bit in range(128)]
    assert flags.names(int(Flag.VALID | Flag.MISSING_METADATA | Flag.VOLUME_SPIKE)) == [
        "VALID", "VOLUME_SPIKE", "MISSING_METADATA",
    ]  # fmt: skip
