"""Documents of all markets at the size at which they are published, in every form, with made-up prices."""

import json
import random
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Final, Literal, NamedTuple

from local.bench import caiso as caiso_sizes
from local.bench.caiso import Size
from local.documents import caiso, ercot, miso, nyiso, pjm
from local.documents.prices import Price, level, starts

Kind = Literal["csv", "json", "xml"]
DAY: Final = date(2026, 6, 1)
_FIVE: Final = timedelta(minutes=5)


class Full(NamedTuple):
    """One document. `rows`: of its text; `pivoted`: a price's parts stand in several rows, or a row holds a day."""

    name: str
    file: str
    content: bytes
    kind: Kind
    rows: int
    pivoted: bool


def documents(scale: float) -> Iterator[Full]:
    """One after the other, so that one is in memory at a time; `scale`: 1 is the full size."""
    for make in (_caiso, _pjm, _miso, _ercot, _nyiso):
        yield from make(scale)


def _caiso(scale: float) -> Iterator[Full]:
    size = Size(round(16_600 * scale))
    at = datetime(2026, 6, 1, 19, tzinfo=UTC)
    name = caiso_sizes.name(caiso.RTM, [at]).removesuffix(".zip")
    content = caiso_sizes.text(caiso.RTM, [at], size)
    yield Full("caiso rt_5min CSV", f"{name}.csv", content, "csv", _rows(content), pivoted=True)
    xml = caiso_sizes.xml(caiso.RTM, [at], size)
    yield Full("caiso rt_5min XML", f"{name}.xml", xml, "xml", xml.count(b"<REPORT_DATA>"), pivoted=True)


def _pjm(scale: float) -> Iterator[Full]:
    nodes = [str(40_000_000 + number) for number in range(round(13_500 * scale))]
    day = _prices(nodes, starts(DAY, pjm.EASTERN), pjm.EASTERN)
    yield _of("pjm da_hourly CSV", pjm.export("da_hrl_lmps", day), "csv")
    run = _prices(nodes, starts(DAY, pjm.EASTERN, _FIVE)[150:151], pjm.EASTERN)
    yield _of("pjm rt_5min CSV", pjm.export("rt_fivemin_hrl_lmps", run), "csv")
    file, content = pjm.unverified("rt_unverified_fivemin_lmps", run)
    yield Full("pjm rt_5min JSON", file, content, "json", len(run), pivoted=False)


def _miso(scale: float) -> Iterator[Full]:
    nodes = [f"ALTW.NODE{number}" for number in range(round(2_600 * scale))]
    yield _of("miso da_hourly CSV", miso.day("da_expost_lmp", DAY, _prices(nodes, starts(DAY, miso.EST), miso.EST)),
              "csv", pivoted=True)  # fmt: skip
    for name, runs in (("Current", 1), ("Rolling", 12)):
        prices = _prices(nodes, starts(DAY, miso.EST, _FIVE)[150 : 150 + runs], miso.EST)
        file, content = miso.five_minutes(prices, name)
        yield Full(f"miso rt_5min JSON, {name}", file, content, "json", len(prices), pivoted=False)


def _ercot(scale: float) -> Iterator[Full]:
    points = [*ercot.POINTS, *(f"UNIT{number}_RN" for number in range(round(1_105 * scale)))]
    day = _prices(points, starts(DAY, ercot.CENTRAL), ercot.CENTRAL)
    run = _prices(points, starts(DAY, ercot.CENTRAL, _FIVE)[150:151], ercot.CENTRAL)
    yield _of("ercot da_hourly CSV", ercot.day_ahead(DAY, day), "csv")
    yield _of("ercot rt_sced CSV", ercot.sced(run), "csv")
    quarters = [price._replace(start=starts(DAY, ercot.CENTRAL)[12]) for price in run]
    yield _of("ercot rt_15min CSV", ercot.settlement(quarters), "csv")
    rows = [line.split(",") for line in ercot.day_ahead(DAY, day)[1].decode().splitlines()[1:]]
    names = ("deliveryDate", "hourEnding", "settlementPoint", "settlementPointPrice", "DSTFlag")
    data = [[f"{row[0][6:]}-{row[0][:2]}-{row[0][3:5]}", row[1], row[2], float(row[3]), row[4] == "Y"] for row in rows]
    body = {"_meta": {}, "report": {"reportEMIL": "NP4-190-CD"}, "fields": [{"name": name} for name in names],
            "data": data}  # fmt: skip
    yield Full("ercot da_hourly JSON", "np4-190.json", json.dumps(body).encode(), "json", len(data), pivoted=False)


def _nyiso(scale: float) -> Iterator[Full]:
    nodes = [*nyiso.ZONES, *(f"PLANT {number}" for number in range(round(750 * scale)))]
    every = starts(DAY, nyiso.EASTERN, _FIVE)
    day = _prices(nodes, every, nyiso.EASTERN)
    yield _of("nyiso rt_5min CSV, a day", nyiso.realtime(DAY, day), "csv")
    yield _of("nyiso rt_5min CSV", nyiso.realtime(DAY, day[150 * len(nodes) : 151 * len(nodes)]), "csv")


def _of(name: str, document: tuple[str, bytes], kind: Kind, *, pivoted: bool = False) -> Full:
    file, content = document
    return Full(name, file, content, kind, _rows(content), pivoted)


def _rows(content: bytes) -> int:
    return content.count(b"\n") - 1


def _prices(nodes: Sequence[str], times: Sequence[datetime], zone: tzinfo) -> list[Price]:
    noise: Callable[[float, float], float] = random.Random(254).gauss  # noqa: S311 - prices, not secrets
    around = [level(at, zone) for at in times]
    return [Price(node, at, base + noise(0, 4)) for at, base in zip(times, around, strict=True) for node in nodes]
