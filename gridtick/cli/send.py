"""`gridtick send`: documents as the exchanges publish them, or NDJSON envelopes, to the raw topic."""

import asyncio
import time
from pathlib import Path
from typing import Annotated, Final

import typer

from pipeline.errors import DataProcessingError

LANDS_WITHIN_S: Final = 600.0
LOOK_S: Final = 0.2


def send(
    paths: Annotated[list[Path], typer.Argument(help="Files, or folders of files.", exists=True)],
    market: Annotated[str | None, typer.Option(help="Market of the documents; found out when left away.")] = None,
    product: Annotated[str | None, typer.Option(help="Product of the documents; found out when left away.")] = None,
    tenant: Annotated[str | None, typer.Option(help="Whose data it is; DATA_PROC_TENANT_ID when left away.")] = None,
    speed: Annotated[
        float, typer.Option(min=0, help="NDJSON envelopes at their own pace times this; 0 as fast as possible.")
    ] = 0,
    wait: Annotated[bool, typer.Option("--wait", help="Return when everything sent can be queried.")] = False,
) -> None:
    """Send documents or NDJSON envelopes to the raw topic.

    Example: gridtick send 20240311_20240312_PRC_LMP_DAM_v1.csv --wait
    """
    from rich.progress import Progress

    from db.kafka.producer import ConfirmedProducer
    from gridtick.cli.raw import files_of, messages_of
    from service.settings import load

    settings = load()
    kafka = settings.kafka
    files = files_of(paths)
    producer = ConfirmedProducer(kafka.bootstrap, kafka.message_max_bytes)
    owner = tenant or settings.core.tenant_id
    sent = 0
    with Progress(transient=True) as progress:
        task = progress.add_task("sending", total=sum(file.stat().st_size for file in files))
        for file in files:
            pace = _Pace(speed)
            for message in messages_of(file, market, product, owner):
                if len(message.value) > kafka.message_max_bytes:
                    raise DataProcessingError(
                        f"{file} gives a message of {len(message.value)} bytes, at most {kafka.message_max_bytes} "
                        "are taken. Split it, or raise DATA_PROC_KAFKA_MESSAGE_MAX_BYTES everywhere.",
                        "cli",
                    )
                pace.wait_for(message.at_s)
                producer.send(kafka.raw_topic, message.value, message.key)
                progress.advance(task, message.size)
                sent += 1
    spans = producer.flush()
    print(f"{sent} messages of {len(files)} files sent to {kafka.raw_topic}")
    if wait and spans:
        _wait_for(spans)


class _Pace:
    """Keeps the distances of messages, divided by the speed."""

    def __init__(self, speed: float) -> None:
        self._speed = speed
        self._zero: float | None = None

    def wait_for(self, at_s: float | None) -> None:
        if not self._speed or at_s is None:
            return
        due = at_s / self._speed
        if self._zero is None:
            self._zero = time.monotonic() - due
        time.sleep(max(0.0, self._zero + due - time.monotonic()))


def _wait_for(spans: dict[int, tuple[int, int]]) -> None:
    from rich.console import Console

    with Console(stderr=True).status("waiting until everything can be queried"):
        left = asyncio.run(_landed(spans))
    if left:
        raise DataProcessingError(
            f"after {LANDS_WITHIN_S:.0f} s {left} messages have not landed. `gridtick status` shows what is behind.",
            "cli",
        )
    print("everything sent can be queried")


async def _landed(spans: dict[int, tuple[int, int]]) -> int:
    """Waits until the ledger covers the offsets; the number of messages that are missing in the end."""
    from db.kafka.admin import make_admin, topic_id
    from db.postgres.engine import make_engine
    from db.postgres.ledger import contiguous_end
    from service.settings import load

    settings = load()
    identity = await asyncio.to_thread(topic_id, make_admin(settings.kafka.bootstrap), settings.kafka.raw_topic)
    engine = make_engine(settings.postgres.dsn.get_secret_value(), pooled=False)
    deadline = time.monotonic() + LANDS_WITHIN_S
    while True:
        ends = {p: await contiguous_end(engine, identity, p, first) for p, (first, _) in spans.items()}
        left = sum(max(end - ends[p], 0) for p, (_, end) in spans.items())
        if not left or time.monotonic() > deadline:
            await engine.dispose()
            return left
        await asyncio.sleep(LOOK_S)


def register(app: typer.Typer) -> None:
    app.command()(send)
