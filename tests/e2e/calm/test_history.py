"""A backfill that is killed in the middle and typed again: every price exactly once, and live prices do not wait."""

import re
from contextlib import closing
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from db.kafka.admin import make_admin, topic_id
from gridtick.cli.backfill.topic import LaneTopic
from service.settings import Settings
from tests.e2e import stores
from tests.e2e.system import System
from tests.polling import until

pytestmark = pytest.mark.e2e

LINES = 20_000
START_MS = 1_741_478_400_000  # 9 March 2025
BROKEN = b"not json"  # the last line

_STORED = """
    SELECT instrument, toUnixTimestamp64Milli(ts), any(price), uniqExact(partition, offset, row)
    FROM ticks WHERE topic_id = {topic_id:String} GROUP BY instrument, ts
"""


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("history") / "ticks.ndjson"
    file.write_bytes(b"".join(_line(number) for number in range(LINES)) + BROKEN)
    return file


def _line(number: int) -> bytes:
    """A tick without an event id: only its place on the topic tells it from its double."""
    stamp = (
        datetime.fromtimestamp(_milliseconds(number) / 1000, UTC)
        .isoformat(timespec="milliseconds")
        .replace("+00:00", "Z")
    )
    return _tick(_instrument(number), stamp, _price(number))


def _tick(instrument: str, stamp: str, price: Decimal) -> bytes:
    return (
        f'{{"envelope":{{"event_type":"ingestion.market.raw.v1","timestamp":"{stamp}"}},"payload":{{"market":"HISTORY",'
        f'"instrument_id":"{instrument}","raw_data":{{"timestamp":"{stamp}","price":{price}}}}}}}\n'
    ).encode()


def _instrument(number: int) -> str:
    return f"then_{number % 40}"


def _milliseconds(number: int) -> int:
    return START_MS + 150 * number


def _price(number: int) -> Decimal:
    return Decimal(number).scaleb(-2)


def test_a_backfill_that_is_killed_goes_on(calm: System, history: Path, tmp_path: Path) -> None:
    _killed(calm, history)
    with calm.started("send", str(history), "--backfill", "--wait") as again:
        assert _sent_live(calm, tmp_path) == "everything sent can be queried: 1 price"
        said, complaint = again.communicate(timeout=180)
    going_on = re.search(r"going on after ([\d,]+) of 20,001 messages\n", said)
    assert going_on, said + complaint
    assert int(going_on[1].replace(",", "")) > 0
    assert "20000 prices, 1 row rejected" in said
    assert again.returncode == 1  # of the broken line
    assert _stored(calm.settings) == {
        (_instrument(number), _milliseconds(number)): (_price(number), 1) for number in range(LINES)
    }


def test_its_dead_letter_names_the_lane(calm: System) -> None:
    (letter,) = [each for each in stores.dead_letters(calm.settings) if each.value() == BROKEN]
    headers = dict(letter.headers() or [])
    assert headers["gridtick.original_topic"] == calm.settings.kafka.backfill_topic.encode()
    job = headers["gridtick.job"]
    assert isinstance(job, bytes)
    assert job.endswith(b"/20001")


def test_the_lane_is_proved_and_has_nothing_left(calm: System) -> None:
    assert "lag backfill 0 messages of 20001 not committed yet" in calm.gridtick("status").stdout
    verified = calm.gridtick("verify")
    assert verified.returncode == 0, verified.stdout + verified.stderr
    assert int(re.findall(r"and (\d+) messages checked", verified.stdout)[0]) > LINES


def test_what_has_been_sent_is_not_sent_again(calm: System, history: Path) -> None:
    said = calm.gridtick("send", str(history), "--backfill").stdout
    assert "all 20,001 messages have been sent before; --again sends them once more" in said
    assert _on_the_topic(calm.settings) == LINES + 1


def _killed(system: System, history: Path) -> None:
    """Before the journal has a word on what was sent, or soon after."""
    kafka = system.settings.kafka
    with closing(LaneTopic(kafka, kafka.backfill_topic)) as topic:
        with system.started("send", str(history), "--backfill") as first:
            until(lambda: sum(topic.ends().values()) > 0, 30, "some of it is on the topic")
            first.kill()
        assert sum(topic.ends().values()) <= LINES, "it was too fast to be killed"


def _sent_live(system: System, folder: Path) -> str:
    file = folder / "live.ndjson"
    file.write_bytes(_tick("now", "2025-06-01T00:00:00Z", Decimal("1.25")))
    sent = system.gridtick("send", str(file), "--wait")
    assert sent.returncode == 0, sent.stderr
    return sent.stdout.splitlines()[-1]


def _stored(settings: Settings) -> dict[tuple[str, int], tuple[Decimal, int]]:
    """By instrument and instant the price, and how many messages brought one."""
    identity = topic_id(make_admin(settings.kafka.bootstrap), settings.kafka.backfill_topic)
    client = stores.clickhouse(settings)
    rows = client.query(_STORED, parameters={"topic_id": identity}).result_rows
    client.close()
    return {(str(name), int(at)): (Decimal(price), int(count)) for name, at, price, count in rows}


def _on_the_topic(settings: Settings) -> int:
    with closing(LaneTopic(settings.kafka, settings.kafka.backfill_topic)) as topic:
        return sum(topic.ends().values())
