"""What waits for a slow client, by its policy."""

import pytest

from api.live.pending import (
    A_FRAME,
    CLOSE_BYTES,
    SKIP_BYTES,
    Conflating,
    Pending,
    Queued,
    Skipped,
    Skipping,
    Waiting,
    pending,
)
from api.live.row import Row


def row(name: str, text: bytes = b"x", start: int = 0) -> Row:
    return Row("t", name, "m", "p", "", start, 0, 0, text)


def drained(of: Pending) -> list[Waiting | Skipped]:
    found = list[Waiting | Skipped]()
    while of:
        found.append(of.take())
    return found


def test_conflating_keeps_the_newest_of_each_key_and_counts_the_rest() -> None:
    waiting = Conflating()
    waiting.add([row("a", b"1"), row("b", b"2")], 1, "t1")
    waiting.add([row("a", b"3"), row("a", b"4", start=5)], 2, "t2")
    [frame] = drained(waiting)
    assert frame == Waiting([row("b", b"2"), row("a", b"3"), row("a", b"4", start=5)], 2, "t2", 1)
    waiting.add([row("a", b"5")], 3, "t3")
    assert drained(waiting) == [Waiting([row("a", b"5")], 3, "t3", 0)]


def test_many_conflated_rows_come_in_frames_of_which_the_last_has_the_number() -> None:
    waiting = Conflating()
    waiting.add([row(f"n{number}") for number in range(A_FRAME + 1)], 7, "t7")
    frames = drained(waiting)
    assert [(len(each.rows), each.seq) for each in frames if isinstance(each, Waiting)] == [(A_FRAME, None), (1, 7)]


def test_conflated_rows_are_bounded_by_their_keys() -> None:
    waiting = Conflating()
    for number in range(10_000):
        waiting.add([row("a", b"x" * 1000)], number, "t")
    [frame] = drained(waiting)
    assert len(frame.rows) == 1 if isinstance(frame, Waiting) else False
    assert not waiting.is_full


def test_skipping_drops_what_is_too_much_and_tells_how_much_up_to_where() -> None:
    waiting = Skipping()
    large = b"x" * (SKIP_BYTES // 2)
    for number in range(1, 6):
        waiting.add([row("a", large), row("b")] if number == 4 else [row("a", large)], number, f"t{number}")
    kept, also, skipped = drained(waiting)
    assert (kept, also) == (Waiting([row("a", large)], 1, "t1"), Waiting([row("a", large)], 2, "t2"))
    assert skipped == Skipped(4, 5, "t5")
    waiting.add([row("a")], 6, "t6")
    assert drained(waiting) == [Waiting([row("a")], 6, "t6")], "and goes on"
    assert not waiting.is_full


def test_a_change_of_which_a_part_is_skipped_is_skipped_to_its_end() -> None:
    waiting = Skipping()
    large = b"x" * (SKIP_BYTES // 2 + 1)
    waiting.add([row("a", large)], None, "p1")
    waiting.add([row("a", large)], None, "p2")
    waiting.add([row("a")], 1, "t1")
    assert drained(waiting) == [Waiting([row("a", large)], None, "p1"), Skipped(2, 1, "t1")]


def test_queued_is_full_beyond_its_bytes_and_not_before() -> None:
    waiting = Queued()
    waiting.add([row("a", b"x" * CLOSE_BYTES)], 1, "t1")
    assert not waiting.is_full
    waiting.add([row("a")], 2, "t2")
    assert waiting.is_full
    assert [each.seq for each in drained(waiting)] == [1, 2]
    assert not waiting.is_full


@pytest.mark.parametrize("policy", ["conflate", "skip", "close"])
def test_what_is_cleared_is_gone(policy: str) -> None:
    waiting = pending(policy)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    for number in range(3):
        waiting.add([row("a", b"x" * SKIP_BYTES)], number, "t")
    waiting.clear()
    assert not waiting
    assert not waiting.is_full
