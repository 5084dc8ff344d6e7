"""What others hold after a pass: the log, the ledger, the newest bars, beside what is shown."""

from datetime import timedelta
from decimal import Decimal
from typing import Any, Final

from db.clickhouse import reads
from db.clickhouse.frames import fetch
from db.postgres.ledger_ranges import ledger_ranges
from db.redis import landed
from tests.db.clickhouse.brute import Row
from tests.db.clickhouse.rows import DAY
from tests.workers.tasks.passing import Worker

STREAM: Final = ["1m", "5m", "15m", "1h", "1d"]
MINUTE: Final = timedelta(minutes=1)


def correction(tick: Row, price: int, offset: int) -> Row:
    return tick | {"price": Decimal(price), "offset": offset, "known_at": DAY + offset * MINUTE}


def told(worker: Worker) -> list[tuple[str, str]]:
    """(kind, interval) of every change in the landed log."""
    read = landed.read(worker.context.redis, landed.BEGINNING)
    return [(entry.kind, change.interval) for entry in read.entries for change in entry.changes]


def ledger(worker: Worker) -> list[tuple[int, int]]:
    found = worker.context.runner.wait(ledger_ranges(worker.context.postgres, worker.assignment))
    return found.select("first_offset", "next_offset").rows()


Place = tuple[str, str, str]  # instrument, interval, start


def newest(worker: Worker) -> dict[Place, Any]:
    """What a consumer holds at the end that keeps of each bar the event with the highest `ver`."""
    held: dict[Place, Any] = {}
    for event in worker.events("bars"):
        payload = event["payload"]
        place = payload["instrument_id"], payload["interval"], payload["start"]
        if place not in held or payload["ver"] >= held[place]["ver"]:
            held[place] = payload
    return held


def shown(worker: Worker, tenant: str) -> dict[Place, tuple[Decimal, Decimal | None, int, int]]:
    """What the API shows of each bar."""
    span = reads.Range(DAY - timedelta(days=2), DAY + timedelta(days=2), 1000)
    scope = reads.Scope([tenant], ["POWER", "caiso.rt_5min.NODE"])
    return {
        (row["instrument"], interval, f"{row['start']:%Y-%m-%dT%H:%M:%SZ}"): tuple(
            row[name] for name in ("close", "volume", "revision", "ver")
        )
        for interval in STREAM
        for row in fetch(worker.context.clickhouse, reads.read_bars(scope, interval, span)).iter_rows(named=True)
    }


def expect_newest_is_shown(worker: Worker, tenant: str) -> None:
    held = {
        place: tuple(payload[name] for name in ("close", "volume", "revision", "ver"))
        for place, payload in newest(worker).items()
    }
    assert held == shown(worker, tenant)
    assert held
