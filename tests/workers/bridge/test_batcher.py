"""Batches join without holes, in order, with a running maximum, whatever the cuts."""

from hypothesis import given
from hypothesis import strategies as st

from tests.workers.fakes import FakeMessage
from workers.bridge.batcher import PATIENT, Batcher, Cut, Limits, halves

Polls = st.lists(
    st.tuples(
        st.lists(
            st.tuples(st.integers(0, 2), st.integers(1, 3), st.integers(0, 50), st.integers(0, 99)),
            max_size=9,
        ),
        st.floats(0, 0.2),
    ),
    max_size=12,
)


def _polled(
    polls: list[tuple[list[tuple[int, int, int, int]], float]],
) -> list[tuple[list[FakeMessage], float]]:
    """Messages with growing offsets (and holes) by partition, with the time of their poll."""
    offsets, now = {0: 0, 1: 5, 2: 9}, 0.0
    result: list[tuple[list[FakeMessage], float]] = []
    for messages, wait in polls:
        now += wait
        made: list[FakeMessage] = []
        for partition, step, size, stamp in messages:
            made.append(FakeMessage(offsets[partition] + step - 1, b"x" * size, partition, stamp))
            offsets[partition] += step
        result.append((made, now))
    return result


@given(Polls, st.integers(1, 5), st.integers(1, 100))
def test_ranges_tile_and_limits_hold(
    polls: list[tuple[list[tuple[int, int, int, int]], float]], most: int, size: int
) -> None:
    batcher = Batcher(Limits(most, size, 0.1))
    for partition, start in ((0, 0), (1, 5), (2, 9)):
        batcher.assign(partition, start, 7_000)
    cuts: list[Cut] = []
    polled = _polled(polls)
    for messages, now in polled:
        cuts += batcher.add(messages, now) + batcher.expired(now)
    cuts += batcher.expired(1e9)
    assert batcher.open_bytes == 0
    for partition, start in ((0, 0), (1, 5), (2, 9)):
        mine = [cut for cut in cuts if cut.partition == partition]
        given_in = [m for messages, _ in polled for m in messages if m.where == partition]
        assert [cut.first for cut in mine] == [start, *(cut.next for cut in mine)][: len(mine)]
        assert [o for cut in mine for o in cut.messages.offsets] == [m.at for m in given_in]
        known = [k for cut in mine for k in cut.messages.known_at_us]
        stamps = [s for cut in mine for s in cut.messages.stamps_us]
        assert known == [max([7_000, *stamps[: at + 1]]) for at in range(len(stamps))]
    for cut in cuts:
        assert 1 <= len(cut.messages.offsets) <= most
        assert cut.size <= size or len(cut.messages.offsets) == 1


def test_a_batch_is_cut_when_it_is_old() -> None:
    batcher = Batcher(Limits(100, 1000, 0.1))
    batcher.assign(0, 0, 0)
    batcher.add([FakeMessage(0)], 5.0)
    assert batcher.expired(5.05) == []
    assert batcher.expired(5.11, patient=True) == []
    assert [cut.next for cut in batcher.expired(5.11)] == [1]
    batcher.add([FakeMessage(1)], 6.0)
    assert batcher.expired(6.0 + 0.09 * PATIENT, patient=True) == []
    assert [cut.next for cut in batcher.expired(6.0 + 0.11 * PATIENT, patient=True)] == [2]


def test_what_came_later_goes_along() -> None:
    batcher = Batcher(Limits(100, 1000, 0.1))
    batcher.assign(0, 0, 0)
    batcher.assign(1, 0, 0)
    batcher.add([FakeMessage(0)], 5.0)
    batcher.add([FakeMessage(0, where=1)], 5.09)
    assert batcher.expired(5.09) == []
    assert [cut.partition for cut in batcher.expired(5.11)] == [0, 1]
    assert batcher.expired(9.0) == []


def test_offsets_that_were_taken_and_strange_partitions_are_ignored() -> None:
    batcher = Batcher(Limits(2, 1000, 1))
    batcher.assign(0, 10, 0)
    cuts = batcher.add([FakeMessage(9), FakeMessage(10), FakeMessage(10), FakeMessage(3, where=1), FakeMessage(11)], 0)
    assert [(cut.first, cut.next, list(cut.messages.offsets)) for cut in cuts] == [(10, 12, [10, 11])]


def test_forgotten_messages_are_in_no_batch() -> None:
    batcher = Batcher(Limits(2, 1000, 1))
    batcher.assign(0, 0, 0)
    batcher.add([FakeMessage(0)], 0)
    batcher.forget()
    batcher.assign(0, 0, 0)
    (cut,) = batcher.add([FakeMessage(0), FakeMessage(1)], 0)
    assert list(cut.messages.offsets) == [0, 1]


def test_headers_follow_their_message_through_halves() -> None:
    batcher = Batcher(Limits(3, 1000, 1))
    batcher.assign(0, 0, 0)
    (cut,) = batcher.add([FakeMessage(1), FakeMessage(4, extra=[("a", b"1")]), FakeMessage(6)], 0)
    assert cut.messages.headers == {1: [("a", b"1")]}
    left, right = halves(cut.first, cut.next, cut.messages)
    assert (left[0], left[1], right[0], right[1]) == (0, 4, 4, 7)
    assert right[2].headers == {0: [("a", b"1")]}
    assert left[2].headers == {}
