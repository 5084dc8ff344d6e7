"""Planted faults of positions, each of which must be seen."""

from collections import Counter
from dataclasses import replace

from verify.positions import DeadLetters, Partition, Position, Range, Readers, check

TOPIC = "topic-1"


def position(offset: int) -> Position:
    return TOPIC, 0, offset


HEALTHY = Partition(TOPIC, 0, low=0, committed=10, offsets=[*range(5), *range(6, 10)])  # 5 is a control record
LANDED = [Range(TOPIC, 0, 0, 6, 5, 5, 0, 0), Range(TOPIC, 0, 6, 10, 4, 12, 1, 1)]
STORED = Counter({**{position(o): 1 for o in range(5)}, **{position(o): 4 for o in (6, 7, 8)}})
DEAD = {position(9): 1}


def invariants(
    partition: Partition = HEALTHY,
    landed: list[Range] = LANDED,
    stored: Counter[Position] = STORED,
    dead: DeadLetters = DEAD,
    readers: Readers | None = None,
) -> set[str]:
    return {difference.invariant for difference in check([partition], landed, stored, dead, readers or {})}


def test_a_healthy_topic_has_no_difference() -> None:
    assert invariants() == set()


def test_a_lost_tick_is_seen() -> None:
    assert "I1" in invariants(stored=STORED - Counter({position(7): 1}))


def test_a_message_that_is_neither_price_nor_dead_letter_is_seen() -> None:
    assert "I1" in invariants(dead={})


def test_a_row_that_was_refused_and_not_told_is_seen() -> None:
    assert "I1" in invariants(dead={position(9): 2})
    told = replace(LANDED[1], rejects=3)
    assert "I1" in invariants(landed=[LANDED[0], told])
    assert invariants(landed=[LANDED[0], told], dead={position(9): 3}) == set()


def test_a_doubled_tick_is_seen() -> None:
    assert "I1" in invariants(stored=STORED + Counter({position(2): 1}))


def test_a_publication_without_a_message_is_seen() -> None:
    assert "I1" in invariants(stored=STORED + Counter({position(5): 1}))


def test_an_early_commit_is_seen() -> None:
    assert {"I4", "I5"} <= invariants(replace(HEALTHY, committed=11))


def test_a_hole_between_landed_ranges_is_seen() -> None:
    assert {"I4", "I5"} <= invariants(landed=[LANDED[0], replace(LANDED[1], first=7)])


def test_a_range_that_landed_twice_in_other_cuts_is_no_difference() -> None:
    again = Range(TOPIC, 0, 2, 8, 5, 11, 0, 0)
    assert invariants(landed=[*LANDED, again]) == set()


def test_what_landed_while_the_topic_was_read_is_no_difference() -> None:
    assert invariants(stored=STORED + Counter({position(10): 1, position(11): 3})) == set()


# Offsets 7 and 8 are one dead letter that was sent again twice; 8 holds nothing.
AGAIN = replace(HEALTHY, replays={7: ("old/0/1", 2), 8: ("old/0/1", 2)})
ONCE = STORED - Counter({position(8): 4})
EIGHT_FEWER = [LANDED[0], replace(LANDED[1], ticks=8)]


def test_a_replay_that_was_sent_twice_and_read_once_is_no_difference() -> None:
    assert invariants(AGAIN, EIGHT_FEWER, ONCE, readers={("old/0/1", 2): position(7)}) == set()


def test_a_replay_that_was_read_twice_is_seen() -> None:
    assert "I1" in invariants(AGAIN, readers={("old/0/1", 2): position(7)})


def test_a_replay_of_which_nothing_came_is_seen() -> None:
    assert "I1" in invariants(AGAIN, EIGHT_FEWER, ONCE, readers={("old/0/1", 2): position(8)})
    assert "I1" in invariants(AGAIN, EIGHT_FEWER, ONCE)
