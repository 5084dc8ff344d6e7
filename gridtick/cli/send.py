"""`gridtick send`: documents as the exchanges publish them, or NDJSON envelopes, to the raw topic."""

import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gridtick.cli.options import DEFAULT_DATA_DIR, DataDir
from gridtick.cli.system import reached_kafka, settings_of
from pipeline.errors import DataProcessingError

if TYPE_CHECKING:
    from gridtick.cli.landing import Spans
    from gridtick.cli.raw import Message
    from service.settings import Kafka


def send(
    paths: Annotated[list[Path], typer.Argument(help="Files, or folders of files.", exists=True)],
    market: Annotated[str | None, typer.Option(help="Market of the documents; found out when left away.")] = None,
    product: Annotated[str | None, typer.Option(help="Product of the documents; found out when left away.")] = None,
    tenant: Annotated[str | None, typer.Option(help="Whose data it is; DATA_PROC_TENANT_ID when left away.")] = None,
    speed: Annotated[
        float, typer.Option(min=0, help="NDJSON envelopes at their own pace times this; 0 as fast as possible.")
    ] = 0,
    wait: Annotated[
        bool, typer.Option("--wait", help="Return when everything sent can be queried; status 1 if some is refused.")
    ] = False,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Send documents or NDJSON envelopes to the raw topic.

    Example: gridtick send 20240311_20240312_PRC_LMP_DAM_v1.csv --wait
    """
    from gridtick.cli.landing import wait_for
    from gridtick.cli.raw import check, files_of, messages_of

    settings = settings_of(data_dir)
    files = files_of(paths)
    for file in files:
        check(file, market, product, tenant)
    admin = reached_kafka(settings, data_dir)
    sent, spans = _published(
        settings.kafka, files, lambda file: messages_of(file, market, product, tenant, settings.core.tenant_id), speed
    )
    print(f"{sent} messages of {len(files)} files sent to {settings.kafka.raw_topic}", flush=True)
    if wait and spans and not wait_for(settings, admin, spans, sent):
        raise typer.Exit(1)


def _published(
    kafka: "Kafka", files: Sequence[Path], messages_of: "Callable[[Path], Iterator[Message]]", speed: float
) -> "tuple[int, Spans]":
    """Sends the messages of all files; how many they are, and where they lie."""
    from rich.console import Console
    from rich.progress import Progress

    from db.kafka.producer import ConfirmedProducer

    producer = ConfirmedProducer(kafka.bootstrap, kafka.message_max_bytes)
    sent = 0
    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("sending", total=sum(file.stat().st_size for file in files))
        for file in files:
            pace = _Pace(speed)
            for message in messages_of(file):
                _refuse_too_large(file, message, kafka)
                pace.wait_for(message.at_s)
                producer.send(kafka.raw_topic, message.value, message.key)
                progress.advance(task, message.size)
                sent += 1
    return sent, producer.flush()


def _refuse_too_large(file: Path, message: "Message", kafka: "Kafka") -> None:
    if len(message.value) > kafka.message_max_bytes:
        raise DataProcessingError(
            f"{file} gives a message of {len(message.value)} bytes, at most {kafka.message_max_bytes} are taken. "
            "Split it, or raise DATA_PROC_KAFKA_MESSAGE_MAX_BYTES everywhere.",
            "cli",
        )


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


def register(app: typer.Typer) -> None:
    app.command()(send)
