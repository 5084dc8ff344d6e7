import base64
import gzip
import io
import json
import random
import zipfile
from datetime import UTC, datetime
from decimal import Decimal
from itertools import pairwise
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.normalize import RawBatch, normalize
from pipeline.schema import NORMALIZED, REJECTS
from tests.pipeline.making import HEADER, batch, document, interval, oasis, oasis_row, tick


def test_a_generic_tick() -> None:
    found = normalize(batch(tick(), first=7), "public")
    assert found.rejects.height == 0
    assert dict(found.ticks.schema) == dict(NORMALIZED)
    row = found.ticks.row(0, named=True)
    at = datetime(2024, 1, 1, tzinfo=UTC)
    given_cells = {"tenant": "acme", "instrument": "NODE", "market": "miso", "product": "tick", "ts": at, "start": at,
                   "source_rank": 1, "event_id": "e1", "price": Decimal("43.17"), "volume": 207,
                   "bid": Decimal("43.12"),
                   "ask": Decimal("43.22"), "flags": 1, "version": 0, "source": "test", "known_at": at,
                   "topic_id": "topic", "partition": 3, "offset": 7, "row": 0}  # fmt: skip
    assert row == {**dict.fromkeys(NORMALIZED), **given_cells}


def test_numbers_may_be_text_or_absent() -> None:
    found = normalize(batch(tick({"price": "1.50", "volume": None, "bid": "", "ask": ".05"})), "public")
    assert found.ticks.select("price", "volume", "bid", "ask").row(0) == (Decimal("1.5"), None, None, Decimal("0.05"))


def test_defaults() -> None:
    bare = tick(envelope={"event_id": None, "tenant_id": None, "source": None})
    row = normalize(batch(bare, first=5), "public").ticks.row(0, named=True)
    assert (row["tenant"], row["event_id"], row["source"]) == ("public", "topic/3/5", "")


BAD: list[tuple[bytes, str, str]] = [
    (tick({"volume": -1}), "payload.raw_data.volume", "-1"),
    (b"", "message", ""), (b"nonsense", "message", "nonsense"),
    (b"\xff\xfe", "message", ""), (b"[1]", "message", "[1]"),
    (b'{"payload":{}}', "envelope", ""), (b'{"envelope":{}}', "payload", ""),
    (b"[" * 5_000, "message", "["), (b'{"a":' * 5_000, "message", "{"),
    (tick(market=None), "payload.market", ""), (tick(market="9x"), "payload.market", "9x"),
    (tick(market="mi so"), "payload.market", "mi so"), (tick(market=5), "payload.market", "5"),
    (tick(envelope={"tenant_id": "a/b"}), "envelope.tenant_id", "a/b"),
    (tick(envelope={"tenant_id": ""}), "envelope.tenant_id", ""),
    (tick(envelope={"event_id": "x" * 201}), "envelope.event_id", "x" * 200),
    (tick(instrument_id=None), "payload.instrument_id", ""), (tick(instrument_id=""), "payload.instrument_id", ""),
    (tick(instrument_id="a\nb"), "payload.instrument_id", "a\nb"),
    (tick(instrument_id="x" * 201), "payload.instrument_id", "x" * 200),
    (tick(instrument_id="caiso.rt_5min.NODE"), "payload.instrument_id", "caiso.rt_5min.NODE"),
    (tick(market="CAISO", product="RT_5min"), "payload.product", "RT_5min"),
    (tick(product="no product"), "payload.product", "no product"),
    (tick({"timestamp": "yesterday"}), "payload.raw_data.timestamp", "yesterday"),
    (tick({"timestamp": "2024-01-01T00:00:00"}), "payload.raw_data.timestamp", "2024-01-01T00:00:00"),
    (tick({"timestamp": None}), "payload.raw_data.timestamp", ""),
    (tick({"timestamp": 1_700_000_000}), "payload.raw_data.timestamp", "1700000000"),
    (tick({"price": None}), "payload.raw_data.price", ""), (tick({"price": ""}), "payload.raw_data.price", ""),
    (tick({"price": 1e30}), "payload.raw_data.price", "1e+30"),
    (tick({"price": "0.123456789012"}), "payload.raw_data.price", "0.123456789012"),
    (tick({"price": float("nan")}), "payload.raw_data.price", "NaN"),
    (tick({"price": "NaN"}), "payload.raw_data.price", "NaN"),
    (tick({"price": True}), "payload.raw_data.price", "true"),
    (tick({"volume": float("-inf")}), "payload.raw_data.volume", "-Infinity"),
    (tick({"bid": [1, 2]}), "payload.raw_data.bid", "[1, 2]"),
    (tick({"ask": "1,5"}), "payload.raw_data.ask", "1,5"),
    (json.dumps({"envelope": {}, "payload": {"market": "x", "raw_data": {"price": [1]}}}, indent=1).encode(),
     "payload.instrument_id", ""),
    (b'{"envelope":{},"payload":{"market":"x","instrument_id":"i","raw_data":{"timestamp":"2024-01-01T00:00:00Z",'
     b'"price":[1,\n2]}}}', "payload.raw_data.price", "[1, 2]"),
    (b'{"envelope":{},"payload":{"market":"x","instrument_id":"i","raw_data":{"timestamp":"2024-01-01T00:00:00Z",'
     b'"price":"\xff"}}}', "payload.raw_data.price", "\ufffd"),
    (tick(raw_data=None), "payload.raw_data", "null"),
    (document("", encoding="base64"), "document", "doc.csv"),
    (document("!!", encoding="base64"), "payload.document", "!!"),
    (document("x", encoding="rot13"), "payload.encoding", "rot13"),
    (document("a,b\n1,2\n"), "header", "a,b"), (document("  \n"), "document", "doc.csv"),
    (document("x", market="henry"), "market", "henry"),
    (document("x", raw_data={"timestamp": "2024-01-01T00:00:00Z", "price": 5}), "payload.raw_data", ""),
    (document("x", raw_data={"price": 5}), "payload.raw_data", ""),
]  # fmt: skip


@pytest.mark.parametrize(("message", "field", "value"), BAD)
def test_a_bad_message_refuses_itself_alone(message: bytes, field: str, value: str) -> None:
    found = normalize(batch(tick(), message, tick(envelope={"event_id": "e2"})), "public")
    assert found.ticks["offset"].to_list() == [0, 2]
    assert dict(found.rejects.schema) == dict(REJECTS)
    [reject] = found.rejects.to_dicts()
    assert (reject["offset"], reject["row"], reject["whole"]) == (1, 0, True)
    assert reject["field"] == field
    assert reject["value"].startswith(value) if field == "message" else reject["value"] == value
    assert len(reject["reason"]) > 10
    if field.startswith(("payload", "envelope")):
        assert field in reject["reason"]


def test_documents_generic_ticks_and_refusals_side_by_side() -> None:
    text = oasis(*interval(), *interval(5)[1:], "broken").decode()
    found = normalize(batch(tick(), document(text), b"x", tick(envelope={"event_id": "e2"}), first=100), "public")
    listed = found.ticks.select("offset", "row", "instrument", "price", "loss", "source_rank", "event_id").rows()
    assert sorted(listed) == [
        (100, 0, "NODE", Decimal("43.17"), None, 1, "e1"),
        (101, 1, "caiso.rt_5min.NODE_A", Decimal("31.5"), Decimal("0.25"), 0, ""),
        (103, 0, "NODE", Decimal("43.17"), None, 1, "e2"),
    ]
    assert sorted(found.rejects.select("offset", "row", "whole").rows()) == [
        (101, 5, False), (101, 6, False), (101, 7, False), (101, 8, False), (102, 0, True),
    ]  # fmt: skip


def zipped(**members: bytes) -> str:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return base64.b64encode(packed.getvalue()).decode()


def test_a_refused_row_names_its_file_and_line() -> None:
    content = zipped(one=oasis(*interval()), two=b"\n" + oasis("short", *interval(5, MCC="x")))
    found = normalize(batch(document(content, encoding="base64")), "public")
    assert found.ticks["row"].to_list() == [1, 6]
    assert found.rejects.select("row", "reason").rows() == [
        (5, "two line 3: the row holds 1 of 16 fields"),
        (8, "two line 6: VALUE 'x' is not a finite decimal number"),
    ]


@pytest.mark.parametrize(
    ("body", "word"),
    [("a\n" * 20_000, "20000 of 20001 rows are refused, the first (line 3): the row holds 1 of 16 fields"),
     ('""\n' * 20_000, "20000 of 20001 rows"), (oasis_row("LMP", "x") + "\n", ""), ("\n" * 1_000_000, ""),
     ("\n" * 5_000_001, "at most 5000000 are read"), ('"a""b"' + "," * 15 + "\n", ""),
     (('"a""b"' + "," * 15 + "\n") * 100_001, "at most 100000 are read"), ("," * 2_000_000, "fields")],
    ids=["short", "quotes", "one", "blank", "lines", "quoted", "many quoted", "wide"],
)  # fmt: skip
def test_a_document_of_rubbish_is_refused_as_one(body: str, word: str) -> None:
    text = "\n".join((HEADER.format(price="VALUE"), oasis_row("LMP", "1"), body))
    found = normalize(batch(document(text)), "public")
    assert found.rejects.height <= 2
    assert not word or word in found.rejects["reason"][0]


def test_whatever_is_refused_is_told_in_few_words() -> None:
    long = "\x01" * 1_000_000
    messages = [document("x", name=long), document(oasis(oasis_row("LMP", "1", run=long)).decode()),
                document(zipped(a=oasis(*interval()), b=oasis(oasis_row("LMP", "1", run=long))), encoding="base64"),
                document(oasis(oasis_row("LMP", "1", node=long)).decode()), document(long),
                document(long + "\n" + long), document(oasis(*interval()).decode(), product=long),
                document(oasis(*interval()).decode(), market=long)]  # fmt: skip
    found = normalize(batch(*messages), "public")
    assert found.rejects["offset"].n_unique() == len(messages)
    lengths = found.rejects.select(pl.col("field", "value", "reason").str.len_chars().max())
    assert lengths.row(0) <= (200, 200, 1000)


ERROR = (
    b"<m:OASISReport><m:ERROR><m:ERR_CODE>1000</m:ERR_CODE><m:ERR_DESC>No data</m:ERR_DESC></m:ERROR></m:OASISReport>"
)


def test_rows_of_several_members_are_numbered_on() -> None:
    content = zipped(one=oasis(*interval()), bad=ERROR, two=oasis(*interval(5), price="MW"))
    found = normalize(batch(document(content, encoding="base64")), "public")
    assert found.ticks["row"].to_list() == [1, 5]
    [reject] = found.rejects.to_dicts()
    assert (reject["whole"], reject["row"]) == (False, 0)
    assert "1000: No data" in reject["reason"]


def test_a_zip_that_holds_an_error_answer_is_refused_with_its_text() -> None:
    [reject] = normalize(batch(document(zipped(a=ERROR), encoding="base64")), "public").rejects.to_dicts()
    assert reject["whole"]
    assert "1000: No data" in reject["reason"]


def test_gzip_document_of_a_tenant() -> None:
    packed = base64.b64encode(gzip.compress(oasis(*interval(), price="PRC"))).decode()
    message = document(packed, encoding="base64", market="CAISO", product="rt_5min")
    assert normalize(batch(message), "mine").ticks["tenant"].to_list() == ["mine"]


messages = st.lists(
    st.one_of(
        st.integers(0, 10**6).map(lambda n: tick({"price": n / 100}, envelope={"event_id": None})),
        st.sampled_from([message for message, _, _ in BAD]),
        st.just(document(oasis(*interval(), *interval(5)).decode())),
    ),
    max_size=12,
)


@given(messages, st.lists(st.integers(0, 12), max_size=4), st.randoms(use_true_random=False))
def test_any_split_and_order_gives_the_same_rows(values: list[bytes], cuts: list[int], rng: random.Random) -> None:
    placed = list(enumerate(values))
    whole = together([placed])
    borders = [0, *sorted(min(at, len(placed)) for at in cuts), len(placed)]
    rng.shuffle(placed)
    assert together([placed[a:b] for a, b in pairwise(borders)]) == whole


def together(parts: list[list[tuple[int, bytes]]]) -> tuple[list[tuple[Any, ...]], list[tuple[Any, ...]]]:
    ticks, refused = list[tuple[Any, ...]](), list[tuple[Any, ...]]()
    for part in parts:
        offsets = [offset for offset, _ in part]
        found = normalize(RawBatch("t", 0, offsets, [0] * len(part), [value for _, value in part]), "public")
        ticks += found.ticks.rows()
        refused += found.rejects.rows()
        touched = {*found.ticks["offset"], *found.rejects["offset"]}
        assert touched == set(offsets)
    return sorted(ticks, key=repr), sorted(refused, key=repr)


def test_header_is_shared_with_the_fixture() -> None:
    assert HEADER.count(",") == oasis_row("LMP", "1").count(",")
    assert isinstance(normalize(batch(), "public").ticks, pl.DataFrame)
