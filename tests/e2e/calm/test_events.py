"""What other consumers learn from a real system: every publication and every changed bar, repeats under equal ids."""

import json
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.request import urlopen

import pytest

from db.redis import landed
from tests.e2e import resend
from tests.e2e.system import System
from tests.e2e.told import BARS, CORRECTED, FIRST, INSTRUMENTS, NODES, PUBLICATIONS, STREAMS, Told

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def told(calm: System) -> Iterator[Told]:
    """All is sent, then some of it corrected."""
    made = Told(calm.settings)
    made.send(FIRST)
    made.send(CORRECTED)
    yield made
    made.close()


@pytest.mark.parametrize("kind", ["normalized", "enriched"])
def test_every_publication_is_there_with_its_price(told: Told, kind: str) -> None:
    found = told.events(getattr(told.settings.kafka, f"{kind}_topic"))
    stored = {f"{kind}/{position}": (name, amount) for position, name, amount in told.rows(PUBLICATIONS)}
    events = {
        each["envelope"]["event_id"]: (each["payload"]["instrument_id"], each["payload"]["price"]) for each in found
    }
    assert events == stored
    assert len(events) == 14 + 4 + 1 + 4
    assert {each["envelope"]["event_type"] for each in found} == {f"{kind}.market.ticks.v1"}


def held(told: Told) -> dict[tuple[str, str, str], Any]:
    """The newest event of every bar."""
    newest: dict[tuple[str, str, str], Any] = {}
    for event in told.events(told.settings.kafka.bars_topic):
        payload = event["payload"]
        place = payload["instrument_id"], payload["interval"], payload["start"]
        if place not in newest or newest[place]["ver"] <= payload["ver"]:
            newest[place] = payload
    return newest


def test_the_newest_event_of_every_bar_is_the_stored_bar(told: Told) -> None:
    fields = ("open", "high", "low", "close", "volume", "count", "updated_at")
    found = {place: tuple(payload[name] for name in fields) for place, payload in held(told).items()}
    stored = {
        (name, interval_, stamp(start)): (*amounts, stamp(updated))
        for name, interval_, start, *amounts, updated in told.rows(BARS)
    }
    assert found == stored
    assert Counter(interval_ for _, interval_, _ in stored) == {"1m": 2, "5m": 6, "15m": 4, "1h": 4, "1d": 4}


@pytest.mark.parametrize("length", ["5m", "1d"])
def test_the_newest_event_of_every_bar_is_what_the_api_shows(calm: System, told: Told, length: str) -> None:
    span = ["--start", "2024-01-01T00:00:00Z", "--end", "2026-01-01T00:00:00Z", "--format", "ndjson"]
    said = calm.gridtick("bars", *INSTRUMENTS, "--interval", length, *span)
    assert said.returncode == 0, said.stderr
    shown = [json.loads(line, parse_float=Decimal) for line in said.stdout.splitlines()]
    names = ("start", "end", "open", "high", "low", "close", "volume", "twap", "count", "revision")
    found = {
        place[0::2]: [payload[name] for name in names] for place, payload in held(told).items() if place[1] == length
    }
    assert found == {(row["instrument"], row["start"]): [row[name] for name in names] for row in shown}


def test_changes_are_in_the_log_and_ids_are_unique(told: Told) -> None:
    changes = Counter((kind, each.instrument, each.interval) for kind, each in told.log(landed.BEGINNING))
    assert changes["latest", STREAMS[0], ""] >= 1
    assert changes["bar", STREAMS[0], "1m"] >= 2, "first told, then corrected"
    assert changes["bar", NODES[1], "1h"] >= 2
    bars = told.events(told.settings.kafka.bars_topic)
    assert len({each["envelope"]["event_id"] for each in bars}) == len({str(each["payload"]) for each in bars})


def test_a_batch_that_the_bridge_sends_again_repeats_its_ids_and_says_nothing_new(told: Told) -> None:
    kafka = told.settings.kafka
    every = (kafka.normalized_topic, kafka.enriched_topic, kafka.bars_topic)
    before, position = [told.ids(topic) for topic in every], told.position()
    resend.send_again(told.settings, resend.ranges(told.settings)[-1])
    after = [told.ids(topic) for topic in every]
    assert [set(ids) for ids in after] == [set(ids) for ids in before]
    assert [ids.total() for ids in after[:2]] > [ids.total() for ids in before[:2]], "its ticks are written again"
    assert after[2] == before[2]
    assert told.log(position) == []


def test_equal_prices_in_new_messages_are_new_ticks_and_no_change(told: Told) -> None:
    kafka, position = told.settings.kafka, told.position()
    ticks, bars = told.ids(kafka.normalized_topic), told.ids(kafka.bars_topic)
    told.send(CORRECTED)
    assert len(told.ids(kafka.normalized_topic)) == len(ticks) + 5
    assert told.ids(kafka.bars_topic) == bars
    assert told.log(position) == []


def test_bridge_and_workers_show_what_they_counted(calm: System, told: Told) -> None:
    shown, sent = calm.settings.metrics, len(FIRST) + 2 * len(CORRECTED)
    bridge, workers = (metrics(shown.host, port) for port in (shown.bridge_port, shown.workers_port))
    assert bridge["gridtick_bridge_messages_total"] == bridge["gridtick_bridge_landed_messages_total"] >= sent
    assert workers["gridtick_ticks_stored_total"] > sent
    assert workers['gridtick_task_seconds_count{task="normalize"}'] >= 1


def metrics(host: str, port: int) -> dict[str, float]:
    with urlopen(f"http://{host}:{port}/metrics", timeout=10) as answer:
        lines = answer.read().decode().splitlines()
    return {name: float(value) for name, _, value in (each.rpartition(" ") for each in lines if each[0] != "#")}


def stamp(instant: datetime) -> str:
    """As events write an instant that ClickHouse gave."""
    at = instant.replace(tzinfo=UTC)
    digits = f"{at.microsecond:06}".rstrip("0")
    return f"{at - timedelta(microseconds=at.microsecond):%Y-%m-%dT%H:%M:%S}{f'.{digits}' if digits else ''}Z"
