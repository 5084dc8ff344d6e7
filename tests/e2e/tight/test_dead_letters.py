"""Dead letters as a user meets them: listed, shown, sent again once and only once; a lane that stops and goes on."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest

from db.kafka.producer import ConfirmedProducer
from db.letters import sending
from db.letters.named import Choice
from gridtick.cli.letters import stores as letter_stores
from tests import topics
from tests.e2e import stores
from tests.e2e.load import Message
from tests.e2e.system import System
from tests.pipeline.making import tick
from tests.pipeline.markets.nyiso_files import DAY_AHEAD, file, row
from tests.polling import until
from workers.codec import Messages
from workers.deadletters import Cause, Origin, write

pytestmark = pytest.mark.e2e

GARBAGE = 120
OLD = tick({"price": 7.25}, {"event_id": None, "tenant_id": "public"}, market="power", instrument_id="old_hub")
_STORED = "SELECT event_id, price, count() FROM ticks FINAL WHERE instrument = {name:String} GROUP BY ALL"


@pytest.fixture(scope="module")
def mislabelled(running: System, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A document of NYISO that was sent as one of CAISO."""
    path = tmp_path_factory.mktemp("documents") / DAY_AHEAD
    path.write_bytes(file(row("06/01/2024 00:00", "CAPITL"), row("06/01/2024 01:00", "CAPITL")))
    sent = running.gridtick("send", str(path), "--market", "caiso", "--wait")
    assert sent.returncode == 1, sent.stdout + sent.stderr
    return path


def listed(running: System, *options: str) -> list[Any]:
    said = running.gridtick("dlq", "ls", *options, "--format", "ndjson")
    assert said.returncode == 0, said.stderr
    return [json.loads(line) for line in said.stdout.splitlines()]


def letters(running: System) -> set[bytes]:
    """The identities of all dead letters."""
    found = (dict(each.headers() or []) for each in stores.dead_letters(running.settings))
    return {value for each in found if isinstance(value := each["gridtick.identity"], bytes)}


def stored(running: System, name: str) -> list[tuple[str, Decimal, int]]:
    client = stores.clickhouse(running.settings)
    rows = client.query(_STORED, parameters={"name": name}).result_rows
    client.close()
    return [(str(event), Decimal(price), int(count)) for event, price, count in rows]


def proved(running: System) -> None:
    verified = running.gridtick("verify")
    assert verified.returncode == 0, verified.stdout + verified.stderr


def test_what_was_refused_is_listed_by_cause_and_shown(running: System, mislabelled: Path, tmp_path: Path) -> None:
    (cause,) = listed(running)
    assert (cause["market"], cause["name"], cause["letters"], cause["waiting"]) == ("caiso", DAY_AHEAD, 1, 1)
    (one,) = listed(running, "--cause", cause["cause"])
    assert (one["id"], one["state"], one["attempts"]) == (cause["example"], "waiting", 1)
    said = running.gridtick("dlq", "show", one["id"][:6])
    assert one["reason"] in said.stdout
    assert "CAPITL" in said.stdout, "the beginning of the document"
    written = tmp_path / "refused.csv"
    assert running.gridtick("dlq", "show", one["id"], "-o", str(written)).returncode == 0
    assert written.read_bytes() == mislabelled.read_bytes()


def test_sent_again_as_it_is_it_stays_the_same_letter(running: System, mislabelled: Path) -> None:
    (cause,) = listed(running)
    trial = running.gridtick("dlq", "replay", "--all", "--dry-run")
    assert (trial.returncode, "would be sent" in trial.stdout) == (0, True)
    assert listed(running) == [cause]
    said = running.gridtick("dlq", "replay", cause["example"], "--wait")
    assert (said.returncode, "0 landed and can be queried, 1 refused again" in said.stdout) == (1, True), said.stdout
    (one,) = listed(running, "--cause", cause["cause"])
    assert (one["id"], one["state"], one["attempts"]) == (cause["example"], "waiting", 2)
    assert len(letters(running)) == 1


def test_with_the_right_label_it_lands(running: System, mislabelled: Path) -> None:
    (cause,) = listed(running)
    said = running.gridtick("dlq", "replay", cause["example"], "--market", "nyiso", "--wait")
    assert said.returncode == 0, said.stdout + said.stderr
    assert "1 landed and can be queried, 0 refused again" in said.stdout
    assert [(price, count) for _, price, count in stored(running, "nyiso.da_hourly.CAPITL")] == [(Decimal("30.25"), 2)]
    (cause,) = listed(running)
    assert (cause["waiting"], cause["replayed"], cause["landed"]) == (0, 0, 1)
    once_more = running.gridtick("dlq", "replay", cause["example"])
    assert (once_more.returncode, "1 dead letter left out" in once_more.stdout) == (0, True)
    said = running.gridtick("audit", "ls", "--format", "ndjson")
    told = [each for each in map(json.loads, said.stdout.splitlines()) if each["action"] == "deadletter.replay"]
    assert [each["actor"] for each in told] == ["cli", "cli"], "this one and the one before: the dry run sent nothing"
    proved(running)


def test_sent_again_twice_and_by_several_at_once_it_is_one_tick_and_one_event(running: System) -> None:
    """A letter that an earlier program has written; this one can read its message."""
    settings, kafka = running.settings, running.settings.kafka
    messages = Messages([41], [1_700_000_000_000_000], [1], [b"old_hub"], {}, [OLD])
    producer = ConfirmedProducer(kafka.bootstrap, kafka.message_max_bytes)
    cause = Cause(0, 0, "normalize", "MessageRefused", "not known yet")
    write(producer, kafka.deadletter_topic, Origin(kafka.raw_topic, "earlier", 2), messages, [cause])
    dead = [each for each in letter_stores.read(settings) if each.letter.origin == "earlier/2/41"]
    wanted = sending.wanted(dead, Choice(), kafka)
    for _ in range(3):  # as if three had typed it at the same moment
        assert len(letter_stores.send(settings, wanted, trial=False).sent) == 1
    with running.started("dlq", "replay", "earlier/2/41") as killed:
        killed.kill()
    waited = running.gridtick("dlq", "replay", "--all", "--wait")
    assert waited.returncode == 0, waited.stdout + waited.stderr
    until(lambda: [each["landed"] for each in listed(running)] == [1, 1], 60, "both have landed")
    topic = stores.RawTopic(settings)
    until(lambda: topic.committed() >= topic.end(), 60, "its repeats have landed")
    topic.close()
    assert stored(running, "old_hub") == [("earlier/2/41", Decimal("7.25"), 1)]
    told = topics.events(kafka.bootstrap, kafka.normalized_topic)
    assert [each["payload"]["price"] for each in told if each["payload"]["instrument_id"] == "old_hub"] == [
        Decimal("7.25")
    ]
    assert len(letters(running)) == 2
    proved(running)


def test_a_lane_that_cannot_be_read_stops_until_a_person_lets_it_go_on(running: System, tmp_path: Path) -> None:
    topic, before = stores.RawTopic(running.settings), len(letters(running))
    topic.send([Message(b"one-key", b"garbage %d" % n) for n in range(GARBAGE)])
    log = running.data_dir / "logs" / "bridge.log"
    until(lambda: "is stopped: " in log.read_text(), 60, "the bridge has stopped")
    said = running.gridtick("status")
    assert "STOPPED" in said.stdout
    assert said.returncode == 1
    assert "messages in a row of partition" in said.stdout
    assert "gridtick bridge resume --lane live" in said.stdout
    with urlopen(f"http://127.0.0.1:{running.settings.api.port}/readyz", timeout=10) as answer:
        ready = json.load(answer)
    assert (ready["status"], "gridtick dlq ls" in ready["reasons"][0]) == ("degraded", True)
    _still_stopped_after_a_crash(running, before)
    good = tmp_path / "good.ndjson"
    good.write_bytes(tick({"price": 1.5}, {"tenant_id": "public"}, market="power", instrument_id="new_hub"))
    assert running.gridtick("send", str(good)).returncode == 0
    assert running.gridtick("bridge", "resume").stdout.startswith("The lane live goes on")
    until(lambda: topic.committed() >= topic.end(), 60, "it goes on to the end")
    topic.close()
    assert len(letters(running)) == before + GARBAGE
    assert stored(running, "new_hub") == [("e1", Decimal("1.5"), 1)]
    assert "STOPPED" not in running.gridtick("status").stdout
    proved(running)


def _still_stopped_after_a_crash(running: System, before: int) -> None:
    drained = letters(running)
    assert 100 <= len(drained) - before <= GARBAGE
    bridge = running.process("bridge")
    bridge.kill()
    until(lambda: running.pid("bridge") not in (None, bridge.pid), 30, "it is started again")
    log = running.data_dir / "logs" / "bridge.log"
    until(lambda: log.read_text().count("is stopped: ") >= 2, 30, "it says that it is stopped")
    assert letters(running) == drained


def test_many_that_are_refused_again_stop_nothing(running: System) -> None:
    before = letters(running)
    said = running.gridtick("dlq", "replay", "--all", "--wait")
    assert said.returncode == 1
    assert f"0 landed and can be queried, {GARBAGE} refused again" in said.stdout
    assert letters(running) == before
    assert "STOPPED" not in running.gridtick("status").stdout
    (cause,) = [each for each in listed(running) if each["waiting"]]
    assert (cause["letters"], cause["waiting"]) == (GARBAGE, GARBAGE)
    proved(running)
