"""A changed rule reaches every worker and the API of a real system within five seconds, and stored ticks show it."""

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from service import clock
from tests import topics
from tests.e2e import stores
from tests.e2e.load import Message
from tests.e2e.system import System
from tests.pipeline.making import tick
from tests.polling import until

pytestmark = pytest.mark.e2e

MARKET = "refpower"
NAMES = [f"{MARKET}.futures.SPRING_NG_{number}" for number in range(8)]  # over all partitions
RULE = "rule,priority,market,commodity,region,tier,source\nrefpower,5,refpower,power,US-TX,futures,test\n"
WITHIN_S = 5.0
LOOKS = 2


class Sender:
    """Sends a tick of every instrument at a time."""

    def __init__(self, system: System) -> None:
        self._topic = stores.RawTopic(system.settings)
        self._sent = 0

    def round(self) -> None:
        """Returns when they have landed."""
        self._sent += 1
        at = f"2025-05-01T12:00:{self._sent:02}Z"
        self._topic.send([_tick(name, at) for name in NAMES])
        until(lambda: self._topic.committed() >= self._topic.end(), 60, "the ticks have landed")

    def close(self) -> None:
        self._topic.close()


def _tick(name: str, at: str) -> Message:
    raw = {"timestamp": at, "price": "1.5", "bid": None, "ask": None}
    envelope = {"event_id": f"{name}-{at}", "tenant_id": None}
    return Message(name.encode(), tick(raw, envelope, market=MARKET, instrument_id=name))


@pytest.fixture
def sender(calm: System) -> Iterator[Sender]:
    made = Sender(calm)
    yield made
    made.close()


def enriched(system: System) -> list[Any]:
    kafka = system.settings.kafka
    return [
        each for each in topics.events(kafka.bootstrap, kafka.enriched_topic)
        if each["payload"]["metadata"]["market"] == MARKET
    ]  # fmt: skip


def known_at(event: Any) -> datetime:
    return datetime.fromisoformat(event["envelope"]["timestamp"])


def instrument(system: System) -> dict[str, Any]:
    key = (system.data_dir / "secrets" / "demo_key").read_text().strip()
    url = f"http://127.0.0.1:{system.settings.api.port}/v1/instruments/{NAMES[0]}"
    return json.loads(httpx.get(url, headers={"X-API-Key": key}).raise_for_status().text)


def test_a_rule_reaches_everybody_within_five_seconds(calm: System, sender: Sender, tmp_path: Path) -> None:
    sender.round()
    assert {each["payload"]["metadata"]["commodity"] for each in enriched(calm)} == {None}
    assert instrument(calm)["commodity"] is None
    file = tmp_path / "rules.csv"
    file.write_text(RULE)
    said = calm.gridtick("reference", "load", str(file))
    loaded = clock.now()
    assert said.returncode == 0, said.stderr
    assert "taxonomy_rules: 1 added, 0 changed, 0 removed" in said.stdout
    until(lambda: instrument(calm)["commodity"] == "power", WITHIN_S, "the API shows it")
    for _ in range(LOOKS):
        sender.round()
    until(lambda: (clock.now() - loaded).total_seconds() > WITHIN_S, 2 * WITHIN_S)
    sender.round()
    old = [known_at(each) for each in enriched(calm) if each["payload"]["metadata"]["commodity"] is None]
    new = [known_at(each) for each in enriched(calm) if each["payload"]["metadata"]["commodity"] == "power"]
    late_s = max(((each - loaded).total_seconds() for each in old), default=0.0)
    assert late_s < WITHIN_S
    assert len(new) >= len(NAMES)
    assert calm.gridtick("reference", "diff", str(file)).returncode == 1, "the project's own rules are not in the file"
