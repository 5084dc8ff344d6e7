import msgspec

from workers.codec import Messages
from workers.deadletters import Cause, Origin, headers_of, program_version
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


def test_original_headers_stay_first_and_untouched() -> None:
    headers = headers_of(ORIGIN, MESSAGES, Cause(1, 0, "normalize", "MessageRefused", "price: bad"))
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


def test_refused_rows_are_listed_and_counted() -> None:
    rows = [{"row": row, "reason": "x"} for row in range(150)]
    headers = dict(headers_of(ORIGIN, MESSAGES, Cause(0, 0, "normalize", "RowsRefused", "…", rows=rows, refused=400)))
    assert headers["gridtick.refused_rows"] == b"400"
    assert len(msgspec.json.decode(headers["gridtick.rows"] or b"")) == 100


def test_a_header_comes_back_from_json() -> None:
    header = BatchHeader("b", "a", "t", "tid", 1, 5, 9, 3, 77, ticks=2, runs=Runs(1, 2, 3))
    assert from_json(msgspec.json.decode(msgspec.json.encode(header.to_json()))) == header
