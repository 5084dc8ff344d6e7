"""The header of a dead letter that is sent again, and its labels."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import replay
from pipeline.errors import DataProcessingError
from pipeline.normalize import RawBatch, normalize
from pipeline.replay import Labels, Replay

ONE = Replay("raw", "a/b", 3, 41, 1_700_000_000_000, 2, Labels(market="nyiso"))
TICK = (
    b'{"envelope":{"event_id":%s},"payload":{"market":"power","instrument_id":"hub",'
    b'"raw_data":{"timestamp":"2025-03-01T00:00:00Z","price":1.250}}}'
)


def test_it_comes_back_from_the_header() -> None:
    assert replay.of([("trace", b"x"), replay.header(ONE)]) == ONE
    assert ONE.origin == "a/b/3/41"


def _header(**changes: object) -> bytes:
    return json.dumps({**json.loads(replay.header(ONE)[1]), **changes}).encode()


@pytest.mark.parametrize(
    "value",
    [None, b"", b"{}", b"\xff", b"[1]", b"[" * 5_000, _header(attempt=1), _header(attempt=2**40), _header(offset=-1),
     _header(partition=2**31), _header(offset=2**63), _header(topic_id=""), _header(more=1), _header(labels={"x": ""})],
)  # fmt: skip
def test_a_header_that_cannot_be_one_makes_an_ordinary_message(value: bytes | None) -> None:
    assert replay.of([(replay.HEADER, value)]) is None


@given(st.binary(max_size=60))
def test_no_bytes_of_a_header_raise(value: bytes) -> None:
    replay.of([(replay.HEADER, value)])


def test_labels_change_what_they_name_and_no_digit_of_the_rest() -> None:
    value = b'{"payload": {"document": "a,\\u00e9", "price": 1.2500, "market": "x"}, "envelope": {"tenant_id": "t"}}'
    found = replay.relabelled(value, Labels(market="nyiso", product="rt_5min"))
    assert json.loads(found, parse_float=str) == {
        "payload": {"document": "a,é", "price": "1.2500", "market": "nyiso", "product": "rt_5min"},
        "envelope": {"tenant_id": "t"},
    }
    assert json.loads(replay.relabelled(value, Labels(tenant="desk")))["envelope"] == {"tenant_id": "desk"}


def test_without_labels_the_bytes_stay_as_they_are_whatever_they_are() -> None:
    assert replay.relabelled(b"\xff not json", Labels()) == b"\xff not json"


@pytest.mark.parametrize("value", [b"", b"[]", b"{}", b'{"envelope":1,"payload":{}}', b'{"envelope":{}}', b"\xff"])
def test_what_is_no_envelope_has_no_labels(value: bytes) -> None:
    with pytest.raises(DataProcessingError, match="is no envelope"):
        replay.relabelled(value, Labels(market="nyiso"))


def test_a_tick_without_an_id_keeps_the_position_of_its_first_message() -> None:
    values = [TICK % b"null", TICK % b'"mine"', TICK % b'""', TICK % b"null"]
    batch = RawBatch("new", 1, [5, 6, 7, 8], [10**15] * 4, values, {0: "a/b/3/41", 1: "a/b/3/42", 2: "a/b/3/43"})
    found = normalize(batch, "public").ticks
    assert found["event_id"].to_list() == ["a/b/3/41", "mine", "a/b/3/43", "new/1/8"]
    assert found["offset"].to_list() == [5, 6, 7, 8], "where it was read stays its lineage"
