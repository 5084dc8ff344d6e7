"""The committable offset never passes an offset that has not landed, and never goes back."""

from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workers.bridge.window import Flight, Window


class Act(NamedTuple):
    """One thing that may happen to a window."""

    kind: str
    a: int
    b: int


Acts = st.lists(
    st.builds(
        Act,
        st.sampled_from(["add", "add", "land", "land", "part", "again", "over", "split", "lost"]),
        st.integers(0, 9),
        st.integers(1, 3),
    ),
    max_size=60,
)


def _flight(first: int, end: int) -> Flight:
    return Flight(f"{first}-{end}", 0, first, end, end - first, 0, b"xx")


def _ranges(window: Window, act: Act) -> tuple[int, int] | None:
    """The range that an act reports: one on the way, a part of it, or one that covers neighbours too."""
    flights = list(window.flights())
    if act.kind == "again":
        return window.start, window.start + act.b
    if not flights:
        return None
    flight = flights[act.a % len(flights)]
    if act.kind == "part":
        return flight.first, min(flight.first + act.b, flight.next)
    if act.kind == "over":
        return flight.first - act.a, flight.next + act.b
    return flight.first, flight.next


def _split(window: Window, act: Act) -> None:
    flights = [each for each in window.flights() if each.next - each.first > 1]
    if flights:
        flight = flights[act.a % len(flights)]
        middle = (flight.first + flight.next) // 2
        window.replace(flight, [_flight(flight.first, middle), _flight(middle, flight.next)])


@settings(max_examples=300)
@given(Acts)
def test_commit_never_passes_what_has_not_landed(acts: list[Act]) -> None:
    window, landed = Window(100), set[int]()
    for act in acts:
        before = window.landed_end
        if act.kind == "add":
            window.add(_flight(window.tail, window.tail + act.b))
        elif act.kind == "split":
            _split(window, act)
        elif act.kind == "lost":
            window.lost()
        elif (span := _ranges(window, act)) is not None:
            inside = {offset for offset in range(*span) if 100 <= offset < window.tail}
            assert window.land(*span) == bool(inside - landed)
            landed |= inside
        expected = next(offset for offset in range(100, window.tail + 1) if offset not in landed)
        assert window.landed_end == expected >= before
        open_offsets = {o for flight in window.flights() for o in range(flight.first, flight.next)}
        assert open_offsets >= set(range(100, window.tail)) - landed
        assert all(not landed >= set(range(f.first, f.next)) for f in window.flights())
        assert window.size == 2 * len(list(window.flights()))


def test_what_is_sent_too_long_ago_is_due_and_each_repeat_waits_longer() -> None:
    window = Window(0)
    window.add(_flight(0, 5))
    (flight,) = window.due(0, 30)
    flight.sent_at, flight.sends = 0.0, 1
    assert window.due(29.9, 30) == []
    assert window.due(30, 30) == [flight]
    flight.sent_at, flight.sends = 30.0, 2
    assert window.due(89.9, 30) == []
    assert window.due(90, 30) == [flight]
    flight.sends = 100
    assert window.due(30 + 120, 30) == [flight]
    window.lost()
    assert window.due(31, 30) == [flight]


def test_a_batch_that_does_not_join_is_a_fault() -> None:
    window = Window(0)
    window.add(_flight(0, 5))
    with pytest.raises(ValueError, match="does not join"):
        window.add(_flight(6, 7))
    with pytest.raises(ValueError, match="do not tile"):
        window.replace(next(window.flights()), [_flight(0, 2), _flight(3, 5)])
