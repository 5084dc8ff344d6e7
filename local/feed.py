"""`python -m local.feed`: the demo feed: today's history up to now, then live at the real cadence times `--speed`."""

import argparse
import logging
import os
import sys
import time
from collections.abc import Iterable
from datetime import date, datetime, timedelta

from db.kafka.producer import ConfirmedProducer
from local import demo
from local.documents.prices import begin_of
from pipeline.errors import DataProcessingError
from service import clock, logs
from service.settings import Settings, load

log = logging.getLogger(__name__)

BEHIND = 10  # the day so far is made while everything else starts, which goes first
LOOK_AHEAD = timedelta(minutes=1)
FLUSH_EVERY = 2000
RECENT = timedelta(minutes=10)  # before it, the history has its generic ticks less often
SPARSE = timedelta(seconds=30)
EASTWARD = timedelta(hours=3)  # the day begins so much earlier where the other markets are


def history(producer: ConfirmedProducer, topic: str, day: date, now: datetime) -> int:
    """Sends what the day would have brought up to now; gives the number of messages."""
    begin = begin_of(day, demo.PACIFIC) - EASTWARD
    recent = max(begin, now - RECENT - (now - begin) % RECENT)
    sent = _send(producer, topic, demo.daylight(day, begin)) + _send(producer, topic, demo.gas(day, begin))
    sent += _send(producer, topic, demo.messages(day, begin, recent, every=SPARSE))
    return sent + _send(producer, topic, demo.messages(day, recent, now))


def live(producer: ConfirmedProducer, topic: str, day: date, now: datetime, speed: float) -> None:
    """Sends on from now, `speed` times as fast as the clock, until the process is ended.

    The day goes over into the next; at a speed above 1 the feed runs ahead of the calendar.
    """
    began, at = time.monotonic(), now
    while True:
        until = now + timedelta(seconds=(time.monotonic() - began) * speed)
        while at < until:
            step = min(until, at + LOOK_AHEAD)
            _send(producer, topic, demo.messages(_pacific_day(at, day), at, step))
            at = step
        time.sleep(0.2)


def _pacific_day(at: datetime, first: date) -> date:
    return max(at.astimezone(demo.PACIFIC).date(), first)


def _send(producer: ConfirmedProducer, topic: str, messages: Iterable[demo.Sending]) -> int:
    sent = 0
    for message in messages:
        producer.send(topic, message.value, message.key)
        sent += 1
        if sent % FLUSH_EVERY == 0:
            producer.flush()
    if sent:
        producer.flush()
    return sent


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m local.feed", description="the demo feed")
    parser.add_argument("--speed", type=float, default=1.0, help="how many times faster than the clock")
    parser.add_argument("--date", type=date.fromisoformat, help="the (Pacific) day to feed; today when left away")
    parser.add_argument("--until", type=datetime.fromisoformat, help="end there instead of running live")
    return parser.parse_args()


def main() -> int:
    """Feeds until ended. The exit status: 1, after a sentence, when it cannot."""
    arguments = _arguments()
    os.nice(BEHIND)
    try:
        settings = load()
        logs.configure(settings.core.log_level, logs.secrets_of(settings))
        _feed(settings, arguments)
    except DataProcessingError as error:
        logs.fallback()
        log.error(str(error))
        return 1
    except KeyboardInterrupt:
        pass
    return 0


def _feed(settings: Settings, arguments: argparse.Namespace) -> None:
    kafka = settings.kafka
    producer = ConfirmedProducer(kafka.bootstrap, kafka.message_max_bytes)
    now: datetime = arguments.until or clock.now()
    day: date = arguments.date or now.astimezone(demo.PACIFIC).date()
    sent = history(producer, kafka.raw_topic, day, now)
    log.info("history sent", extra={"messages": sent, "day": str(day)})
    if arguments.until is None:
        live(producer, kafka.raw_topic, day, now, arguments.speed)


if __name__ == "__main__":
    sys.exit(main())
