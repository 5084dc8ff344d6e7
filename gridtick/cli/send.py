"""`gridtick send`: documents as the exchanges publish them, or NDJSON envelopes, to the raw topic."""

import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gridtick.cli.options import DEFAULT_DATA_DIR, DataDir, resolved
from gridtick.cli.system import reached_kafka, settings_of
from pipeline.errors import DataProcessingError

if TYPE_CHECKING:
    from confluent_kafka.admin import AdminClient

    from gridtick.cli.backfill.asked import Options
    from gridtick.cli.landing import Spans
    from gridtick.cli.raw import Message
    from service.settings import Kafka, Settings


def send(
    paths: Annotated[list[Path], typer.Argument(help="Files, or folders of files.", exists=True)],
    *,
    market: Annotated[str | None, typer.Option(help="Market of the documents; found out when left away.")] = None,
    product: Annotated[str | None, typer.Option(help="Product of the documents; found out when left away.")] = None,
    tenant: Annotated[str | None, typer.Option(help="Whose data it is; DATA_PROC_TENANT_ID when left away.")] = None,
    speed: Annotated[
        float, typer.Option(min=0, help="NDJSON envelopes at their own pace times this; 0 as fast as possible.")
    ] = 0,
    wait: Annotated[
        bool, typer.Option("--wait", help="Return when everything sent can be queried; status 1 if some is refused.")
    ] = False,
    backfill: Annotated[
        bool,
        typer.Option(
            "--backfill",
            help="History: takes a lane of its own, so that live prices do not wait; the same command goes on after a "
            "stop or a crash, and sends nothing twice.",
        ),
    ] = False,
    again: Annotated[
        bool, typer.Option("--again", help="With --backfill: once more what a backfill has sent before.")
    ] = False,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Send documents or NDJSON envelopes to the raw topic, or history to the topic of its own lane.

    Example: gridtick send 20240311_20240312_PRC_LMP_DAM_v1.csv --wait

    Example: gridtick send history/ --backfill --wait
    """
    from gridtick.cli.backfill.asked import Options
    from gridtick.cli.raw import check, files_of

    _refuse_together(backfill, again, speed)
    settings = settings_of(data_dir)
    files, options = files_of(paths), Options(market, product, tenant, settings.core.tenant_id)
    for file in files:
        check(file, market, product, tenant)
    admin = reached_kafka(settings, data_dir)
    if backfill:
        from gridtick.cli.backfill import run

        run.backfill(settings, admin, resolved(data_dir), run.Wanted(files, options, again, wait))
    else:
        _live(settings, admin, files, options, speed, wait)


def _live(
    settings: "Settings", admin: "AdminClient", files: "Sequence[Path]", options: "Options", speed: float, wait: bool
) -> None:
    from gridtick.cli.landing import wait_for
    from gridtick.cli.raw import messages_of

    market, product, tenant, default = options.market, options.product, options.tenant, options.default_tenant
    sent, spans = _published(
        settings.kafka, files, lambda file: messages_of(file, market, product, tenant, default), speed
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
    from gridtick.cli.raw import refuse_too_large

    producer = ConfirmedProducer(kafka.bootstrap, kafka.message_max_bytes)
    sent = 0
    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("sending", total=sum(file.stat().st_size for file in files))
        for file in files:
            pace = _Pace(speed)
            for message in messages_of(file):
                refuse_too_large(file, len(message.value), kafka.message_max_bytes)
                pace.wait_for(message.at_s)
                producer.send(kafka.raw_topic, message.value, message.key)
                progress.advance(task, message.size)
                sent += 1
    return sent, producer.flush()


def _refuse_together(backfill: bool, again: bool, speed: float) -> None:
    if backfill and speed:
        raise DataProcessingError(
            "--speed gives messages the pace at which they were made; --backfill sends them as fast as Kafka takes "
            "them, for its lane gives way to live prices: leave one of the two away",
            "cli",
        )
    if again and not backfill:
        raise DataProcessingError("--again is for --backfill: without it everything is sent each time", "cli")


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
