"""The load of the fault test, and what must be stored at its end: both from one seed, both without Gridtick's code.

Messages of one key go to one partition in order, so the last one sent for an identity is the one known last.
"""

import base64
import io
import json
import random
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

START = datetime(2026, 3, 7, 20, tzinfo=UTC)  # the hours around the Pacific clock change of 8 March 2026
NODES = [f"NODE_{n}_7_N00{n % 9}" for n in range(40)]
_HEADER = (
    "INTERVALSTARTTIME_GMT,INTERVALENDTIME_GMT,OPR_DT,OPR_HR,NODE_ID_XML,NODE_ID,NODE,MARKET_RUN_ID,LMP_TYPE,"
    "XML_DATA_ITEM,PNODE_RESMRID,GRP_TYPE,POS,MW,OPR_INTERVAL,GROUP"
)
_ITEMS = {"LMP": "LMP_PRC", "MCE": "LMP_ENE_PRC", "MCC": "LMP_CONG_PRC", "MCL": "LMP_LOSS_PRC"}


class Message(NamedTuple):
    key: bytes
    value: bytes


@dataclass
class Expected:
    """What must be there at the end: the current price of every identity, and the broken messages by key."""

    prices: dict[tuple[str, str, str], Decimal] = field(default_factory=dict[tuple[str, str, str], Decimal])
    publications: int = 0
    dead_letters: set[bytes] = field(default_factory=set[bytes])
    rejected_rows: int = 0


class Load(NamedTuple):
    messages: list[Message]
    expected: Expected


def make(ticks: int, documents: int, seed: int) -> Load:
    """`ticks` generic ticks and `documents` CAISO documents, shuffled together, with broken ones among them."""
    rng = random.Random(seed)
    expected = Expected()
    streams = [
        list(_ticks(ticks, rng, expected)),
        list(_documents(documents, rng, expected)),
        list(_broken(expected)),
    ]
    return Load(_interleaved(streams, rng), expected)


def _interleaved(streams: list[list[Message]], rng: random.Random) -> list[Message]:
    """The streams mixed at random, the order inside each one kept."""
    turns = [index for index, stream in enumerate(streams) for _ in stream]
    rng.shuffle(turns)
    heads = [iter(stream) for stream in streams]
    return [next(heads[turn]) for turn in turns]


def _ticks(count: int, rng: random.Random, expected: Expected) -> Iterator[Message]:
    sent: list[tuple[str, str, str]] = []
    for number in range(count):
        again = bool(sent) and rng.random() < 0.03
        if again:
            identity = rng.choice(sent)
        else:
            instrument = f"hub_{rng.randrange(120)}.futures"
            late = rng.choice([0, 0, 0, 0, 0, 0, 0, 0, 0, 7200])
            instant = START + timedelta(milliseconds=number * 90) - timedelta(seconds=late)
            identity = (instrument, _stamp(instant), f"event-{number:08d}")
            sent.append(identity)
        repeats = again and rng.random() < 0.5
        price = expected.prices[identity] if repeats else Decimal(rng.randrange(-9_000, 90_000)) / 100
        expected.prices[identity] = price
        expected.publications += 1
        yield _tick(identity, price, rng.randrange(1, 500))


def _tick(identity: tuple[str, str, str], price: Decimal, volume: int) -> Message:
    instrument, stamp, event_id = identity
    # The price goes in as text of a JSON number, so that no float stands in between.
    text = (
        f'{{"envelope":{{"event_type":"ingestion.market.raw.v1","event_id":"{event_id}","timestamp":"{stamp}",'
        f'"tenant_id":"desk_7","source":"test","version":"1.0"}},"payload":{{"market":"POWERX",'
        f'"instrument_id":"{instrument}","raw_data":{{"timestamp":"{stamp}","price":{price},"volume":{volume}}}}}}}'
    )
    return Message(instrument.encode(), text.encode())


def _documents(count: int, rng: random.Random, expected: Expected) -> Iterator[Message]:
    runs: list[datetime] = []
    for number in range(count):
        again, broken = number % 5 == 4, number % 7 == 3
        start = rng.choice(runs) if again else START + timedelta(minutes=5 * number)
        if not broken:  # it has a key of its own: a run may come again on one partition only
            runs.append(start)
        name = f"run_{start:%Y%m%dT%H%M}_PRC_INTVL_LMP_RTM_v{number}"
        yield _document(name, _csv(start, rng, expected, broken_row=broken), expected, broken)


def _csv(start: datetime, rng: random.Random, expected: Expected, *, broken_row: bool) -> str:
    rows = [_HEADER]
    for node in NODES:
        parts = {name: Decimal(rng.randrange(-30_00000, 90_00000)).scaleb(-5) for name in ("MCE", "MCC", "MCL")}
        price = sum(parts.values(), Decimal(0))
        for kind, value in {"LMP": price, **parts}.items():
            rows.append(_row(start, node, kind, str(value)))
        expected.prices[f"caiso.rt_5min.{node}", _stamp(start), ""] = price
        expected.publications += 1
    rng.shuffle(body := rows[1:])
    if broken_row:
        body.insert(5, _row(start, "BROKEN_7_N001", "LMP", "twelve"))
        expected.rejected_rows += 1
    return "\n".join([rows[0], *body]) + "\n"


def _row(start: datetime, node: str, kind: str, value: str) -> str:
    end = start + timedelta(minutes=5)
    day, hour = f"{start - timedelta(hours=8):%Y-%m-%d}", f"{(start.hour - 8) % 24 + 1:02d}"
    number = start.minute // 5 + 1
    stamps = f"{start:%Y-%m-%dT%H:%M:%S}-00:00,{end:%Y-%m-%dT%H:%M:%S}-00:00"
    return f"{stamps},{day},{hour},{node},{node},{node},RTM,{kind},{_ITEMS[kind]},{node},ALL,1,{value},{number},1"


def _document(name: str, csv: str, expected: Expected, broken: bool) -> Message:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"{name}.csv", csv)
    message = _envelope(f"{name}.zip", packed.getvalue())
    # One key for all, so that a later document of the same run is known later.
    key = f"caiso-{name}".encode() if broken else b"caiso"
    if broken:
        expected.dead_letters.add(key)
    return Message(key, message)


def _envelope(name: str, document: bytes) -> bytes:
    envelope = {
        "event_type": "ingestion.market.raw.v1",
        "event_id": name,
        "timestamp": _stamp(START),
        "source": "test",
        "version": "1.0",
    }
    payload = {
        "market": "caiso",
        "format": "zip",
        "encoding": "base64",
        "name": name,
        "document": base64.b64encode(document).decode(),
    }
    return json.dumps({"envelope": envelope, "payload": payload}).encode()


def _broken(expected: Expected) -> Iterator[Message]:
    for number, value in enumerate(broken_messages()):
        key = f"broken-{number}".encode()
        expected.dead_letters.add(key)
        yield Message(key, value)


def broken_messages() -> list[bytes]:
    """One message of every kind that must become a dead letter."""
    good = _tick(("x.futures", "2026-03-07T20:00:00Z", "e"), Decimal("1.5"), 1).value
    refusal = (
        '<m:OASISReport xmlns:m="http://www.caiso.com/soa/OASISReport_v1.xsd"><m:MessagePayload><m:RTO><m:ERROR>'
        "<m:ERR_CODE>1000</m:ERR_CODE><m:ERR_DESC>No data returned for the specified selection</m:ERR_DESC>"
        "</m:ERROR></m:RTO></m:MessagePayload></m:OASISReport>"
    )
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("INVALID_REQUEST.xml", refusal)
    return [
        b"not json",
        b"{}",
        b"[]",
        b"",
        b"\xff\xfe\x00",
        good.replace(b'"POWERX"', b'"NO SUCH MARKET!"'),
        good.replace(b'"price":1.5', b'"price":NaN'),
        good.replace(b'"price":1.5', b'"price":"NaN"'),
        good.replace(b'"price":1.5', b'"price":1e30'),
        good.replace(b'"price":1.5', b'"price":1.123456789012'),
        good.replace(b'"price":1.5', b'"price":null'),
        good.replace(b"2026-03-07T20:00:00Z", b"yesterday"),
        good.replace(b"2026-03-07T20:00:00Z", b"2026-03-07T20:00:00"),
        good[:-2],
        _envelope("empty.csv", b""),
        _envelope("answer.zip", packed.getvalue()),
        _envelope("page.html", b"<html><body>Service unavailable</body></html>"),
        _envelope("cut.zip", packed.getvalue()[:40]),
    ]


def _stamp(instant: datetime) -> str:
    return instant.isoformat(timespec="milliseconds").replace("+00:00", "Z")
