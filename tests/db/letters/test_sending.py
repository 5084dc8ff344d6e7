"""Which dead letters are sent again, as what."""

from typing import Any

import pytest

from db.kafka.letters import Letter
from db.letters import sending
from db.letters.held import held
from db.letters.named import Choice
from db.postgres.replays import Sent
from pipeline.replay import Labels
from service.settings import load
from tests.db.letters.making import letter

KAFKA = load({}).kafka
NONE = Labels()


def _wanted(one: Letter, sent: Sent | None = None, labels: Labels = NONE, *, again: bool = False) -> Any:
    dead = held([one], {one.origin: sent} if sent else {})
    found = sending.wanted(dead, Choice(labels=labels, again=again), KAFKA)
    return found[0] if found else None


def test_it_stands_for_its_first_message_at_its_next_attempt() -> None:
    one = _wanted(letter(origin="t/x/3/9", topic=KAFKA.backfill_topic, stamp_ms=5, attempts=4)).replay
    assert (one.topic_id, one.partition, one.offset, one.stamp_ms, one.attempt) == ("t/x", 3, 9, 5, 5)
    assert one.origin == "t/x/3/9"


@pytest.mark.parametrize(
    ("sent", "again", "attempt"),
    [
        (None, False, 2),
        (Sent(1, read=True, landed=True), False, 2),  # the letter itself is of that attempt
        (Sent(2, read=False, landed=False), False, 2),  # a crash between asking and sending: the same once more
        (Sent(2, read=True, landed=False), False, None),
        (Sent(2, read=True, landed=True), False, None),
        (Sent(2, read=True, landed=False), True, 3),
        (Sent(5, read=True, landed=True), True, 6),
    ],
)
def test_what_is_on_its_way_is_not_sent_again(sent: Sent | None, again: bool, attempt: int | None) -> None:
    found = _wanted(letter(), sent, again=again)
    assert (found and found.replay.attempt) == attempt


def test_labels_of_an_earlier_attempt_stay_where_none_is_given() -> None:
    before = letter(labels=Labels(market="pjm", product="rt_hourly"))
    assert _wanted(before, labels=Labels(market="nyiso")).replay.labels == Labels("nyiso", "rt_hourly")


def test_it_goes_to_the_lane_that_it_came_from() -> None:
    topics = [_wanted(letter(topic=each)).topic for each in (KAFKA.raw_topic, KAFKA.backfill_topic, "renamed")]
    assert topics == [KAFKA.raw_topic, KAFKA.backfill_topic, KAFKA.raw_topic]
