"""`gridtick send --backfill`, put together."""

import sys
import time
from collections.abc import Generator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec
import typer
from confluent_kafka.admin import AdminClient

from db.kafka.admin import topic_id
from db.kafka.producer import ConfirmedProducer
from db.postgres.engine import make_engine
from gridtick.cli import landing
from gridtick.cli.backfill.asked import Asked, Options, seen
from gridtick.cli.backfill.begin import Beginning
from gridtick.cli.backfill.book import Book
from gridtick.cli.backfill.journal import Journal
from gridtick.cli.backfill.landed import Landed
from gridtick.cli.backfill.messages import unsent
from gridtick.cli.backfill.sending import Sending
from gridtick.cli.backfill.stop import stopping
from gridtick.cli.backfill.topic import LaneTopic
from gridtick.cli.backfill.view import View
from pipeline.errors import DataProcessingError
from service.settings import Kafka, Settings


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the command was typed with."""

    files: Sequence[Path]
    options: Options
    again: bool
    wait: bool


def backfill(settings: Settings, admin: AdminClient, data_dir: Path, wanted: Wanted) -> None:
    """Sends what has not been sent, and waits for all of the job where that is wanted.

    Exit status 1 where something of it was refused, 128 + signal where a signal ended it.
    """
    identity = topic_id(admin, settings.kafka.topic_of("backfill"))
    asked = Asked(tuple(map(seen, wanted.files)), wanted.options, identity)
    with _ledger(settings, identity, wait=wanted.wait) as ledger:
        journal, view = _done(settings.kafka, Book(data_dir), asked, wanted, ledger)
        if ledger:
            _wait(settings.kafka, journal, view, ledger)


def _done(kafka: Kafka, book: Book, asked: Asked, wanted: Wanted, ledger: Landed | None) -> tuple[Journal, View]:
    with book.locked(asked.job), closing(LaneTopic(kafka, kafka.topic_of("backfill"))) as lane:
        journal = Beginning(book, lane, kafka, again=wanted.again).journal(asked, wanted.files)
        view = View(journal.total, ledger)
        return journal if journal.state == "sent" else sent(kafka, book, journal, wanted, view), view


def sent(kafka: Kafka, book: Book, journal: Journal, wanted: Wanted, view: View) -> Journal:
    """The journal of the job at its end."""
    journal = msgspec.structs.replace(journal, state="sending")
    book.write(journal)
    sending = Sending(
        ConfirmedProducer(kafka.bootstrap, kafka.message_max_bytes), book.write, view.told, time.monotonic
    )
    with view.shown, stopping() as stop, _what_is_left(book, journal):
        view.told(journal)
        ended = sending.run(journal, unsent(journal, wanted.files, kafka.message_max_bytes), stop)
    if ended.state != "sent":
        print(f"stopped after {ended.so_far}; the same command goes on from there", file=sys.stderr)
        raise typer.Exit(stop.status)
    print(f"{ended.total} messages of {len(wanted.files)} files sent to {journal.topic}", flush=True)
    return ended


@contextmanager
def _what_is_left(book: Book, journal: Journal) -> Generator[None]:
    """Tells with an error of Kafka how to go on."""
    try:
        yield
    except DataProcessingError as error:
        if error.stage != "kafka":
            raise
        now = book.read(journal.asked.job) or journal
        text = f"{error.message} ({now.so_far} are sent for certain; the same command goes on from there)"
        raise DataProcessingError(text, error.stage, error.context) from None


def _wait(kafka: Kafka, journal: Journal, view: View, ledger: Landed) -> None:
    with view.shown:
        view.wait(journal)
    found = ledger.outcome(journal.spans)
    print(landing.said(found, journal.total, kafka.deadletter_topic))
    if not landing.nothing_refused(found):
        raise typer.Exit(1)


@contextmanager
def _ledger(settings: Settings, topic_id: str, *, wait: bool) -> Generator[Landed | None]:
    if not wait:
        yield None
        return
    with closing(Landed(make_engine(settings.postgres.dsn.get_secret_value()), topic_id)) as ledger:
        yield ledger
