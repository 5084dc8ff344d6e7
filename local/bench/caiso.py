"""CAISO's publications at full size: runs of all nodes as OASIS zips them, and days of them as they lie in the store.

Prices are made up, the same for the same seed: an energy price a run, congestion of a few zones, a loss a node.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple

import numpy as np
import polars as pl

from local.documents.caiso import DAM, PACIFIC, RTM, Report
from local.documents.prices import zipped
from pipeline import flags
from pipeline.schema import PRICE, TICKS, conform

NODES: Final = 16_600
_ZONES: Final = 40
_COMPONENTS: Final = (("LMP", "LMP_PRC"), ("MCE", "LMP_ENE_PRC"), ("MCC", "LMP_CONG_PRC"), ("MCL", "LMP_LOSS_PRC"),
                      ("MGHG", "LMP_GHG_PRC"))  # fmt: skip
_XML: Final = """<?xml version="1.0" encoding="UTF-8"?><OASISReport xmlns="http://www.caiso.com/soa/OASISReport_v1.xsd">
<MessagePayload>
<RTO>
<name>CAISO</name>
<REPORT_ITEM>
<REPORT_HEADER>
<SYSTEM>OASIS</SYSTEM>
<TZ>PPT</TZ>
<REPORT>{report}</REPORT>
<MKT_TYPE>{market}</MKT_TYPE>
<UOM>US$/MWh</UOM>
<INTERVAL>ENDING</INTERVAL>
</REPORT_HEADER>
{records}</REPORT_ITEM>
</RTO>
</MessagePayload>
</OASISReport>
"""
_UNIT: Final = 100_000  # OASIS gives five decimals


class Size(NamedTuple):
    """How many nodes a run has, and its seed."""

    nodes: int = NODES
    seed: int = 254


def names(size: Size) -> pl.Series:
    """The nodes, in the shape of CAISO's names."""
    return pl.Series("NODE", [f"NODE{number:05}_7_N{number % 1000:03}" for number in range(size.nodes)])


def prices(size: Size, start: datetime) -> pl.DataFrame:
    """One interval: a row a node with the five components, in units of 10^-5 USD/MWh."""
    rng = np.random.default_rng([size.seed, int(start.timestamp())])
    energy = int(rng.normal(35, 10) * _UNIT)
    congestion = (rng.normal(0, 4, _ZONES) * _UNIT).astype(np.int64)[np.arange(size.nodes) % _ZONES]
    loss = (energy * rng.normal(-0.01, 0.02, size.nodes)).astype(np.int64)
    columns = {"LMP": energy + congestion + loss, "MCE": np.full(size.nodes, energy), "MCC": congestion, "MCL": loss,
               "MGHG": np.zeros(size.nodes, np.int64)}  # fmt: skip
    return pl.DataFrame(columns)


def document(report: Report, starts: Sequence[datetime], size: Size, components: int = len(_COMPONENTS)) -> bytes:
    """A ZIP with one CSV: all nodes, intervals and components, sorted as OASIS does not promise."""
    return zipped(f"{_stem(report, starts)}.csv", text(report, starts, size, components))


def text(report: Report, starts: Sequence[datetime], size: Size, components: int = len(_COMPONENTS)) -> bytes:
    """The CSV of such a document."""
    return pl.concat([_rows(report, start, size, components) for start in starts]).write_csv().encode()


def xml(report: Report, starts: Sequence[datetime], size: Size) -> bytes:
    """The same prices as an XML report, in its order: a record a component."""
    rows = pl.concat([_rows(report, start, size, len(_COMPONENTS)) for start in starts])
    fields = {"DATA_ITEM": "XML_DATA_ITEM", "RESOURCE_NAME": "NODE", "OPR_DATE": "OPR_DT",
              "INTERVAL_NUM": "OPR_INTERVAL", "INTERVAL_START_GMT": "INTERVALSTARTTIME_GMT",
              "INTERVAL_END_GMT": "INTERVALENDTIME_GMT", "VALUE": report.column}  # fmt: skip
    record = "".join(f"<{field}>{{}}</{field}>\n" for field in fields)
    records = rows.select(pl.format(f"<REPORT_DATA>\n{record}</REPORT_DATA>\n", *fields.values()).str.join("")).item()
    return _XML.format(report=report.report, market=report.market, records=records).encode()


def name(report: Report, starts: Sequence[datetime]) -> str:
    """The file name of such a document."""
    return f"{_stem(report, starts)}.zip"


def product(report: Report) -> str:
    """The product that a report brings."""
    return {DAM: "da_hourly", RTM: "rt_5min"}[report]


def _stem(report: Report, starts: Sequence[datetime]) -> str:
    return report.name(starts[0], starts[-1] + report.length, starts[0])


def _rows(report: Report, start: datetime, size: Size, components: int) -> pl.DataFrame:
    values, nodes, local = prices(size, start), names(size), start.astimezone(PACIFIC)
    stamps = [f"{each:%Y-%m-%dT%H:%M:%S}-00:00" for each in (start, start + report.length)]
    parts = [_part(report, *part, nodes, values[part[0]]) for part in _COMPONENTS[:components]]
    return pl.concat(parts).select(
        pl.lit(stamps[0]).alias("INTERVALSTARTTIME_GMT"),
        pl.lit(stamps[1]).alias("INTERVALENDTIME_GMT"),
        pl.lit(f"{local:%Y-%m-%d}").alias("OPR_DT"),
        pl.lit(f"{local.hour + 1:02}").alias("OPR_HR"),
        pl.all(),
        pl.lit(1).alias("OPR_INTERVAL"),
        pl.lit(1).alias("GROUP"),
    )


def _part(report: Report, kind: str, item: str, nodes: pl.Series, units: pl.Series) -> pl.DataFrame:
    sign = pl.when(units < 0).then(pl.lit("-")).otherwise(pl.lit(""))
    whole, rest = units.abs() // _UNIT, (units.abs() % _UNIT).cast(pl.String).str.zfill(5)
    return pl.select(
        nodes.alias("NODE_ID_XML"), nodes.alias("NODE_ID"), nodes.alias("NODE"),
        pl.lit(report.market).alias("MARKET_RUN_ID"), pl.lit(kind).alias("LMP_TYPE"),
        pl.lit(item).alias("XML_DATA_ITEM"), nodes.alias("PNODE_RESMRID"), pl.lit("ALL").alias("GRP_TYPE"),
        pl.lit(0).alias("POS"), pl.concat_str(sign, whole.cast(pl.String), pl.lit("."), rest).alias(report.column),
    )  # fmt: skip


def ticks(report: Report, starts: Sequence[datetime], size: Size, tenant: str) -> pl.DataFrame:
    """The same prices as they are stored (`pipeline.schema.TICKS`), known as each interval begins."""
    frame = pl.concat([_ticks(start, size) for start in starts])
    length = pl.lit(report.length).cast(pl.Duration("us"))
    return conform(
        frame.with_columns(
            tenant=pl.lit(tenant), instrument=pl.format("caiso.{}.{}", pl.lit(product(report)), "location"),
            market=pl.lit("caiso"), product=pl.lit(product(report)),
            source_rank=pl.lit(0, pl.UInt8), event_id=pl.lit(""),
            ts=pl.col("start"), end=pl.col("start") + length, hold_end=pl.col("start") + length,
            flags=pl.lit(int(flags.Flag.VALID), pl.UInt32), version=pl.lit(0, pl.Int64), source=pl.lit("bench"),
            known_at=pl.col("start"), topic_id=pl.lit("stored"), partition=pl.lit(0),
            offset=pl.col("start").dt.epoch("s"),
        ),
        TICKS,
    )  # fmt: skip


def _ticks(start: datetime, size: Size) -> pl.DataFrame:
    units = prices(size, start)
    amounts = dict(zip(("price", "energy", "congestion", "loss", "ghg"), units, strict=True))
    return pl.DataFrame({name: _exact(part) for name, part in amounts.items()}).with_columns(
        location=names(size), start=pl.lit(start), row=pl.int_range(1, size.nodes + 1, dtype=pl.Int32)
    )


def _exact(units: pl.Series) -> pl.Series:
    return (units.cast(pl.Decimal(18, 0)).cast(pl.Decimal(38, 14)) / _UNIT).cast(PRICE)


def steps(start: datetime, length: timedelta, count: int) -> list[datetime]:
    """So many interval starts, one after the other."""
    return [start + length * number for number in range(count)]
