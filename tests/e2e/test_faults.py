"""Whatever is killed: nothing lost, nothing doubled, every bar exact, the dead letters exactly the broken messages.

The long form: `make chaos CHAOS_TICKS=… CHAOS_DOCUMENTS=… CHAOS_FAULTS=… CHAOS_SEED=…`.
"""

import os
import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka import Message

from tests.e2e import faults, load, stores
from tests.e2e.system import System, system
from tests.polling import until

pytestmark = pytest.mark.e2e

TICKS = int(os.environ.get("CHAOS_TICKS", "50000"))
DOCUMENTS = int(os.environ.get("CHAOS_DOCUMENTS", "20"))
ROUNDS = int(os.environ.get("CHAOS_FAULTS", "9")) // 9  # a round: 5 workers, 2 bridges, 2 times Redis emptied
SEED = int(os.environ.get("CHAOS_SEED", "254"))

# Small batches, so that every fault meets many of them on the way; a short patience, so that it heals soon.
SMALL = {"DATA_PROC_BRIDGE_BATCH_MESSAGES": "500", "DATA_PROC_BRIDGE_RESEND_AFTER_S": "4"}


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    folder: Path = tmp_path_factory.mktemp("with a blank") / "data dir"
    with system(folder, **SMALL) as started:
        yield started


def test_faults_lose_nothing_and_double_nothing(running: System) -> None:
    work = load.make(TICKS, DOCUMENTS, SEED)
    topic = stores.RawTopic(running.settings)
    _send_under_faults(work.messages, topic, running)
    until(lambda: topic.committed() >= topic.end(), 180, "everything has landed")
    topic.close()
    _is_exact(running, work.expected)


def _send_under_faults(messages: list[load.Message], topic: stores.RawTopic, running: System) -> None:
    rng = random.Random(SEED)
    sent = 0
    for fault in faults.plan(5 * ROUNDS, 2 * ROUNDS, 2 * ROUNDS, SEED):
        upto = max(sent, int(fault.share * len(messages)))
        before = sent
        topic.send(messages[before:upto])
        sent = upto
        # Somewhere inside the work on what was just sent: some of it has landed, some has not.
        landed = before + int((upto - before) * rng.random() * 0.8)
        until(lambda landed=landed: topic.committed() >= landed, 120, f"{landed} messages have landed")
        faults.inject(fault, running, rng)
    topic.send(messages[sent:])


def _is_exact(running: System, expected: load.Expected) -> None:
    verified = running.gridtick("verify")
    assert verified.returncode == 0, verified.stdout + verified.stderr
    settings = running.settings
    assert stores.current_prices(settings) == expected.prices
    assert stores.publications(settings) == expected.publications
    letters = {_identity(message): message.key() for message in stores.dead_letters(settings)}
    assert len(letters) == len(expected.dead_letters)
    assert set(letters.values()) == expected.dead_letters


def _identity(message: Message) -> str | bytes | None:
    headers = dict(message.headers() or [])
    return headers["gridtick.identity"]
