"""What normalization counts of the ticks that it has read."""

import polars as pl

from pipeline.flags import Flag
from service.metrics import Metrics
from workers.tasks.normalize import tallied


def test_ticks_and_their_flags_are_counted_by_registered_markets() -> None:
    broken = int(Flag.VALID | Flag.COMPONENT_MISMATCH | Flag.PRICE_NEGATIVE)
    rows = [("pjm", 1), ("pjm", broken), ("pjm", broken), ("somebody_s_market", 1), ("another", int(Flag.ADVISORY))]
    metrics = Metrics("workers")
    tallied(metrics, pl.DataFrame(rows, schema={"market": pl.String(), "flags": pl.UInt32()}, orient="row"))
    assert [metrics.value("ticks_read_total", market=name) for name in ("pjm", "other", "caiso")] == [3, 2, 0]
    told = {(market, flag.name): metrics.value("ticks_flagged_total", market=market, flag=flag.name or "")
            for market in ("pjm", "other") for flag in Flag}  # fmt: skip
    expected = {("pjm", "COMPONENT_MISMATCH"): 2, ("pjm", "PRICE_NEGATIVE"): 2, ("other", "ADVISORY"): 1}
    assert {key: count for key, count in told.items() if count} == expected
