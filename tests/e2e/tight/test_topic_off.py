"""A topic that is off is not even made, and all else goes on."""

from collections.abc import Iterator

import pytest
from confluent_kafka.admin import AdminClient

from db.redis import landed
from tests.e2e.system import System
from tests.e2e.told import BARS, FIRST, Told

pytestmark = pytest.mark.e2e


@pytest.fixture
def off(running: System) -> Iterator[Told]:
    """Of the system, whose bars are told on no topic."""
    made = Told(running.settings)
    yield made
    made.close()


def test_a_topic_that_is_off_is_not_even_made_and_all_else_goes_on(off: Told) -> None:
    off.send(FIRST)
    admin = AdminClient({"bootstrap.servers": off.settings.kafka.bootstrap})
    there = admin.list_topics(timeout=10).topics
    assert "aggregation.bars.v1" not in there
    assert len(off.events(off.settings.kafka.normalized_topic)) == 18
    assert len(off.rows(BARS)) == 20
    assert {kind for kind, _ in off.log(landed.BEGINNING)} == {"bar", "latest"}
