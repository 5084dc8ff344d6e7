"""Up to which instant everything has landed, from what the ledger and the bridge say of each partition."""

from collections.abc import Mapping

import pytest

from api.reads.landed import NEVER, Landed, least
from db.postgres.landed import Place, Reach

Idle = dict[tuple[str, str, int], int]


def ledger(*known: int, topic: str = "raw", topic_id: str = "a") -> dict[Place, Reach]:
    return {Place(topic, topic_id, number): Reach(number, at) for number, at in enumerate(known)}


@pytest.mark.parametrize(
    ("found", "idle", "wanted"),
    [
        ({}, {}, NEVER),
        (ledger(50), {}, 50),
        (ledger(50, 40, 60), {}, 40),
        (ledger(50, 40), {("raw", "a", 1): 90}, 50),
        (ledger(50, 40), {("raw", "a", 0): 90, ("raw", "a", 1): 80}, 80),
        (ledger(50, 40), {("raw", "a", 1): 0}, 40),
        (ledger(50), {("raw", "a", 1): 0}, NEVER),
        (ledger(50), {("history", "b", 0): 90}, 50),
        (ledger(50) | ledger(10, topic="history", topic_id="b"), {}, 10),
        (ledger(50) | ledger(70, 60, topic_id="b"), {}, 60),
        (ledger(50), {("raw", "b", 0): 90}, 90),
    ],
    ids=[
        "nothing", "one", "the earliest of all", "idle since", "all idle", "busy", "busy and nothing yet",
        "another topic is idle", "another topic is behind", "made again", "made again and idle",
    ],
)  # fmt: skip
def test_the_earliest_of_all_partitions(found: dict[Place, Reach], idle: Idle, wanted: int) -> None:
    assert least(found | ledger(1, topic="former", topic_id="f"), idle, ("raw", "history")) == wanted


async def test_a_look_begins_where_the_one_before_ended() -> None:
    asked: list[Mapping[Place, Reach]] = []

    async def reaches(since: Mapping[Place, Reach]) -> dict[Place, Reach]:
        asked.append(since)
        return ledger(10 + len(asked))

    landed = Landed(reaches, ["raw"])
    assert [await landed.until_us({}), await landed.until_us({})] == [11, 12]
    assert asked == [{}, ledger(11)]
