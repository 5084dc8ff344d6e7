from typing import Any, cast

import msgspec
import pytest

from db.kafka.letters import THEIR_OWN
from db.kafka.producer import ConfirmedProducer, TooLarge
from pipeline import replay
from pipeline.replay import Labels, Replay
from workers.bridge.deadletters import KafkaDeadLetters
from workers.bridge.window import in_flight
from workers.codec import Header, Messages, pack
from workers.deadletters import KEPT, Cause, Origin, program_version, write
from workers.header import BatchHeader, Runs, from_json

ORIGIN = Origin("raw", "tid", 3)
MESSAGES = Messages(
    [10, 12],
    [1_000_000, 2_000_000],
    [1, 2],
    [None, b"k"],
    {1: [("trace", b"\xff"), ("trace", None)]},
    [b"", b"v"],
)


class FakeProducer:
    """Takes messages up to a size: larger ones are refused at once, or by the broker only."""

    def __init__(self, most: int, *, late: bool) -> None:
        self.most, self.late = most, late
        self.taken: list[tuple[bytes | None, bytes | None, dict[str, bytes]]] = []
        self.headers: list[list[tuple[str, bytes | None]]] = []
        self.failed = False

    def send(self, topic: str, value: bytes | None, key: bytes | None, headers: list[tuple[str, bytes]]) -> None:
        self.headers.append([*headers])
        size = len(value or b"") + len(key or b"") + sum(len(name) + len(text or b"") for name, text in headers)
        if size <= self.most:
            self.taken.append((value, key, dict(headers)))
        elif not self.late:
            raise TooLarge("too large", "kafka")
        else:
            self.failed = True

    def flush(self) -> None:
        failed, self.failed = self.failed, False
        if failed:
            raise TooLarge("too large", "kafka")


def headers_of(cause: Cause) -> list[tuple[str, bytes | None]]:
    producer: Any = FakeProducer(2**22, late=False)
    write(producer, "dead", ORIGIN, MESSAGES, [cause])
    return producer.headers[0]


def test_original_headers_stay_first_and_untouched() -> None:
    headers = headers_of(Cause(1, 0, "normalize", "MessageRefused", "price: bad"))
    assert headers[:2] == [("trace", b"\xff"), ("trace", None)]
    ours = dict(headers[2:])
    assert ours == {
        "gridtick.original_topic": b"raw",
        "gridtick.original_partition": b"3",
        "gridtick.original_offset": b"12",
        "gridtick.original_timestamp": b"2000",
        "gridtick.identity": b"tid/3/12/0",
        "gridtick.stage": b"normalize",
        "gridtick.error_class": b"MessageRefused",
        "gridtick.error_message": b"price: bad",
        "gridtick.attempts": b"1",
        "gridtick.first_seen": b"2000",
        "gridtick.program_version": program_version().encode(),
    }


AGAIN = Replay("first", "old/id", 2, 40, 77, 3, Labels(market="nyiso"))


def test_a_replay_that_is_refused_again_is_the_same_dead_letter() -> None:
    """Its sender's headers as they were, its first position, the next attempt; where it was read this time is told."""
    theirs: list[Header] = [("trace", b"1"), ("gridtick.job", b"j/1"), replay.header(AGAIN)]
    messages = Messages([12], [2_000_000], [2], [b"k"], {0: theirs}, [b"v"])
    producer: Any = FakeProducer(2**22, late=False)
    write(producer, "dead", ORIGIN, messages, [Cause(0, 0, "normalize", "MessageRefused", "no")])
    assert producer.headers[0][:2] == theirs[:2]
    ours = dict(producer.headers[0][2:])
    assert replay.HEADER not in ours
    assert ours["gridtick.identity"] == b"old/id/2/40/0"
    assert ours["gridtick.replayed_at"] == b"tid/3/12"
    assert (ours["gridtick.original_topic"], ours["gridtick.original_offset"]) == (b"first", b"40")
    assert (ours["gridtick.attempts"], ours["gridtick.first_seen"]) == (b"3", b"77")
    assert ours["gridtick.labels"] == b'{"market":"nyiso"}'
    assert ours.keys() <= THEIR_OWN


def test_the_bridge_buries_a_replay_as_what_it_stands_for() -> None:
    producer: Any = FakeProducer(2**22, late=False)
    letters = KafkaDeadLetters(producer, "dead", "raw")
    letters.topic_id = "tid"
    messages = Messages([7], [0], [0], [None], {0: [replay.header(AGAIN)]}, [b"v"])
    flight = in_flight("b", 0, 7, 8, messages, pack(messages))
    letters.write(flight, "data error")
    [(_, _, headers)] = producer.taken
    assert (headers["gridtick.identity"], headers["gridtick.attempts"]) == (b"old/id/2/40/0", b"3")


def test_refused_rows_are_listed_and_counted() -> None:
    rows = [{"row": row, "reason": "x"} for row in range(150)]
    headers = dict(headers_of(Cause(0, 0, "normalize", "RowsRefused", "…", rows=rows, refused=400)))
    assert headers["gridtick.refused_rows"] == b"400"
    assert len(msgspec.json.decode(headers["gridtick.rows"] or b"")) == 100


def test_a_header_comes_back_from_json() -> None:
    header = BatchHeader("b", "a", "t", "tid", 1, 5, 9, 3, 77, ticks=2, runs=Runs(1, 2, 3))
    assert from_json(msgspec.json.decode(msgspec.json.encode(header.to_json()))) == header


def test_rows_are_bounded_in_bytes() -> None:
    rows = [{"row": row, "value": "\x01" * 200, "reason": "\U0001f600" * 1000} for row in range(100)]
    headers = dict(headers_of(Cause(0, 0, "normalize", "RowsRefused", "…", rows=rows, refused=100)))
    assert len(headers["gridtick.rows"] or b"") <= 64 * 1024
    assert msgspec.json.decode(headers["gridtick.rows"] or b"") == rows[: 64 * 1024 // 5300]


def large(value: bytes, key: bytes | None, header: bytes) -> Messages:
    small = Messages([1, 2, 3], [0] * 3, [0] * 3, [b"k", key, b"k"], {1: [("trace", header)]}, [b"a", value, b"c"])
    assert len(small.offsets) == len(small.values)
    return small


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize(
    ("value", "key", "header"),
    [(b"v" * 2**21, b"k", b"h"), (b"v" * 2**21, b"k" * 2**21, b"h"), (b"v", b"k", b"h" * 2**21),
     (b"", None, b"h" * 2**21)],
)  # fmt: skip
def test_a_message_that_kafka_does_not_take_is_buried_short(
    value: bytes,
    key: bytes | None,
    header: bytes,
    late: bool,
) -> None:
    producer = FakeProducer(300_000, late=late)
    messages = large(value, key, header)
    dead = [Cause(index, 0, "normalize", "MessageRefused", "no") for index in range(3)]
    write(cast("ConfirmedProducer", producer), "dead", ORIGIN, messages, dead)
    assert [headers["gridtick.identity"] for _, _, headers in producer.taken] == [
        b"tid/3/1/0", b"tid/3/2/0", b"tid/3/3/0",
    ]  # fmt: skip
    assert ["gridtick.truncated_bytes" in headers for _, _, headers in producer.taken] == [False, True, False]
    kept, kept_key, headers = producer.taken[1]
    assert kept is not None
    assert kept == value[:KEPT]
    whole = len(value) + len(key or b"") + len("trace") + len(header)
    left = len(kept) + len(kept_key or b"") + (len("trace") + len(header) if "trace" in headers else 0)
    assert int(headers["gridtick.truncated_bytes"]) == whole - left


def test_a_large_message_that_kafka_takes_stays_whole() -> None:
    producer: Any = FakeProducer(2**22, late=False)
    write(producer, "dead", ORIGIN, large(b"v" * 2**21, b"k", b"h"), [Cause(1, 0, "normalize", "MessageRefused", "no")])
    [(value, _, headers)] = producer.taken
    assert len(value) == 2**21
    assert "gridtick.truncated_bytes" not in headers


def test_the_bridge_buries_what_is_too_large() -> None:
    producer: Any = FakeProducer(300_000, late=False)
    letters = KafkaDeadLetters(producer, "dead", "raw")
    messages = Messages([7], [0], [0], [None], {}, [b"v" * 2**21])
    flight = in_flight("b", 0, 7, 8, messages, pack(messages))
    flight.refusal = "no \udc80"
    letters.write(flight, "data error")
    [(value, _, headers)] = producer.taken
    assert (len(value), headers["gridtick.error_message"]) == (KEPT, b"no ?")


def test_the_producer_refuses_what_is_too_large_with_a_sentence() -> None:
    producer = ConfirmedProducer("127.0.0.1:1", 1_000_000)
    with pytest.raises(TooLarge, match="takes no message of this size"):
        producer.send("dead", b"v" * 2_000_000)
