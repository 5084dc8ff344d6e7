"""Whatever is killed: nothing lost, nothing doubled, every bar exact, the dead letters exactly the broken messages.

`gridtick verify` says so; then it must see what is spoiled in the same stores. The long form:
`make chaos CHAOS_TICKS=… CHAOS_DOCUMENTS=… CHAOS_FAULTS=… CHAOS_SEED=…`.
"""

import os
import random
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka import Message

from tests.e2e import faults, load, planted, stores
from tests.e2e.system import System, system
from tests.polling import until

pytestmark = pytest.mark.e2e

TICKS = int(os.environ.get("CHAOS_TICKS", "10000"))
DOCUMENTS = int(os.environ.get("CHAOS_DOCUMENTS", "12"))
ROUNDS = -(-int(os.environ.get("CHAOS_FAULTS", "5")) // len(faults.A_ROUND))
# Redis and the bridge first, which heal what a killed worker held; then the workers: only a repeat helps those.
SEED = int(os.environ.get("CHAOS_SEED", "2522"))

# Small batches, so that every fault meets many of them on the way; a short patience, so that it heals soon.
SMALL = {"DATA_PROC_BRIDGE_BATCH_MESSAGES": "200", "DATA_PROC_BRIDGE_RESEND_AFTER_S": "4"}
WORK = load.make(TICKS, DOCUMENTS, SEED)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """The whole load sent under faults, and landed."""
    folder: Path = tmp_path_factory.mktemp("with a blank") / "data dir"
    with system(folder, **SMALL) as started:
        topic = stores.RawTopic(started.settings)
        _send_under_faults(WORK.messages, topic, started)
        until(lambda: topic.committed() >= topic.end(), 180, "everything has landed")
        topic.close()
        yield started


def _send_under_faults(messages: list[load.Message], topic: stores.RawTopic, running: System) -> None:
    rng = random.Random(SEED)
    sent = 0
    for fault in faults.plan(ROUNDS, SEED):
        upto = max(sent, int(fault.share * len(messages)))
        before = sent
        topic.send(messages[before:upto])
        sent = upto
        # Somewhere inside the work on what was just sent: some of it has landed, some has not.
        landed = before + int((upto - before) * rng.random() * 0.8)
        until(lambda landed=landed: topic.committed() >= landed, 120, f"{landed} messages have landed")
        faults.inject(fault, running, rng)
    topic.send(messages[sent:])


def test_faults_lose_nothing_and_double_nothing(running: System) -> None:
    verified = running.gridtick("verify")
    assert verified.returncode == 0, verified.stdout + verified.stderr
    assert "no differences" in verified.stdout
    settings, expected = running.settings, WORK.expected
    assert stores.current_prices(settings) == expected.prices
    assert stores.publications(settings) == expected.publications
    letters = {_identity(message): message.key() for message in stores.dead_letters(settings)}
    assert len(letters) == len(expected.dead_letters)
    assert set(letters.values()) == expected.dead_letters


def _identity(message: Message) -> str | bytes | None:
    headers = dict(message.headers() or [])
    return headers["gridtick.identity"]


@pytest.fixture(scope="module")
def said(running: System) -> str:
    """What the proof says once all faults are planted."""
    planted.spoil_the_store(running)
    planted.spoil_the_register(running)
    planted.commit_early(running)
    verified = running.gridtick("verify", "--show", "100", environ={"DATA_PROC_KAFKA_GROUP_ID": planted.EARLY})
    assert verified.returncode == 1, verified.stdout + verified.stderr
    return verified.stdout


@pytest.mark.parametrize("difference", planted.DIFFERENCES)
def test_a_planted_fault_is_seen(said: str, difference: str) -> None:
    assert difference in said


def test_a_lost_and_a_doubled_tick_are_seen(said: str) -> None:
    counts = re.findall(r"I1 \[.*: expected (\d+) publications, found (\d+)", said)
    assert any(int(found) < int(expected) for expected, found in counts)
    assert any(int(found) > int(expected) for expected, found in counts)
