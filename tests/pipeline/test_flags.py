from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from pipeline import bands, flags
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
    own: bands.Bands = bands.REGISTERED,
) -> list[str]:
    row = {"market": market, "product": product, "start": start, "end": start + end if end else None,
           "price": price, "known_at": start + known if known is not None else None}  # fmt: skip
    columns = {name: pl.Series([value]).cast(TICKS[name]) for name, value in row.items()}
    return flags.names(flags.flagged(pl.DataFrame(columns), own)["flags"][0])


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


def test_bands_that_are_set_replace_those_of_their_market() -> None:
    own = bands.read("caiso@2024-01-01=-10..100, caiso@2025-01-01=-10..50")
    for day, price, suspicious in ((AT, "100", False), (AT, "100.01", True), (AT.replace(year=2025), "51", True)):
        assert ("OUT_OF_RANGE" in names(price, product="tick", start=day, end=None, own=own)) is suspicious
    assert "OUT_OF_RANGE" in names("4000.01", market="pjm", product="tick", end=None, own=own)


def of_parts(market: str, product: str, *rows: tuple[str, str | None, str, str], derived: bool) -> list[list[str]]:
    """The flags of (price, energy, congestion, loss) at one instant."""
    columns = {name: pl.Series([row[at] for row in rows]).cast(TICKS[name]) for at, name in enumerate(PARTS)}
    frame = pl.DataFrame(columns).with_columns(
        market=pl.lit(market), product=pl.lit(product), ts=pl.lit(AT), start=pl.lit(AT), end=pl.lit(AT),
        known_at=pl.lit(None, dtype=TICKS["known_at"]), derived=pl.lit(derived),
    )  # fmt: skip
    flagged = flags.flagged(frame)
    assert "derived" not in flagged.columns
    return [flags.names(bits) for bits in flagged["flags"]]


PARTS = ("price", "energy", "congestion", "loss")


@pytest.mark.parametrize(
    ("market", "product", "price", "broken"),
    [("caiso", "rt_5min", "30.0002", False), ("caiso", "rt_5min", "30.00021", True),
     ("pjm", "rt_hourly", "30.011", False), ("pjm", "rt_hourly", "30.0111", True),
     ("pjm", "rt_5min", "30.000002", False), ("pjm", "da_hourly", "29.99999", True)],
)  # fmt: skip
def test_published_parts_must_add_up_to_the_price(market: str, product: str, price: str, broken: bool) -> None:
    found = of_parts(market, product, (price, "20", "7", "3"), (price, None, "7", "3"), derived=False)
    assert found == [["VALID", *(["COMPONENT_MISMATCH"] if broken else [])], ["VALID"]]


def test_derived_energies_of_an_instant_must_agree() -> None:
    rows = [("30", "20", "7", "3"), ("30", "20.02", "7", "2.98"), ("30", "20.03", "7", "2.97"), ("5", None, "1", "1")]
    found = of_parts("nyiso", "rt_5min", *rows, derived=True)
    assert found == [["VALID", "DERIVED"], ["VALID", "DERIVED"], ["VALID", "DERIVED"], ["VALID"]]
    found = of_parts("nyiso", "rt_5min", *rows[:2], ("30", "20.05", "7", "2.95"), derived=True)
    assert found[2] == ["VALID", "COMPONENT_MISMATCH", "DERIVED"]
