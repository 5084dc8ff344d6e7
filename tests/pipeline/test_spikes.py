"""A volume is a spike by the days before it, and only where these say what is usual."""

from datetime import UTC, datetime, timedelta

import polars as pl

from pipeline import flags, spikes
from pipeline.schema import INSTANT, PRICE

DAY = datetime(2026, 6, 9, tzinfo=UTC)
VALID = int(flags.Flag.VALID)


def ticks(*volumes: str | None, at: datetime = DAY) -> pl.DataFrame:
    rows = [("public", "A", at + timedelta(hours=n), volume, VALID) for n, volume in enumerate(volumes)]
    schema = {
        "tenant": pl.String(),
        "instrument": pl.String(),
        "start": INSTANT,
        "volume": pl.String(),
        "flags": pl.UInt32(),
    }
    return pl.DataFrame(rows, schema=schema, orient="row").with_columns(pl.col("volume").cast(PRICE))


def days(*volume_and_ticks: tuple[int, str | None, int]) -> pl.DataFrame:
    """Bars so many days before `DAY`."""
    rows = [("public", "A", DAY - timedelta(days=ago), volume, count) for ago, volume, count in volume_and_ticks]
    schema = {
        "tenant": pl.String(),
        "instrument": pl.String(),
        "start": INSTANT,
        "volume": pl.String(),
        "count": pl.Int64(),
    }
    return pl.DataFrame(rows, schema=schema, orient="row").with_columns(pl.col("volume").cast(pl.Decimal(38, 9)))


def spiking(found: pl.DataFrame) -> list[bool]:
    return (found["flags"] & int(flags.Flag.VOLUME_SPIKE) != 0).to_list()


def test_more_than_ten_times_the_usual_is_a_spike() -> None:
    history = days((0, "99999", 3), (1, "600", 60), (7, "400", 40), (8, "99999", 1))
    found = spikes.flagged(ticks("100", "100.000000001", None), history)
    assert spiking(found) == [False, True, False]
    assert found.drop("flags").equals(ticks("100", "100.000000001", None).drop("flags"))


def test_a_short_history_says_nothing() -> None:
    for history in (days((0, "1", 1), (1, "9", 99)), days((0, "1", 1)), days().clear(), days((1, "1000", 100))[:0]):
        assert spiking(spikes.flagged(ticks("99999"), history)) == [False]
    too_old = days((0, "1", 1), (2, "1", 1), (8, "1000", 100))
    assert spiking(spikes.flagged(ticks("99999"), too_old)) == [False]
    others = days((0, "1", 1), (1, "1000", 100)).with_columns(tenant=pl.lit("other"))
    assert spiking(spikes.flagged(ticks("99999"), others)) == [False]


def test_prices_without_volume_stay_as_they_are() -> None:
    plain = ticks(None, None)
    assert spikes.flagged(plain, days((0, "1", 1), (1, "1000", 100))).equals(plain)
