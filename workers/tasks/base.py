"""What every task does around its one step: says what it has in hand, takes claim checks, reports refusals."""

import logging
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager, suppress

from celery.exceptions import SoftTimeLimitExceeded
from clickhouse_connect.driver.exceptions import ClickHouseError

from db.postgres.engine import OUTAGE as POSTGRES_OUTAGE
from db.redis import acks, claims
from db.redis.acks import Ack
from db.redis.client import OUTAGE
from pipeline.errors import DataProcessingError
from workers.context import Context
from workers.header import BatchHeader

log = logging.getLogger(__name__)

MOST_ERROR = 2000
_AWAY = (*OUTAGE, *POSTGRES_OUTAGE, ClickHouseError)
_NOT_THE_DATA = (MemoryError, KeyboardInterrupt, SystemExit, GeneratorExit, SoftTimeLimitExceeded)


class Gone(Exception):
    """The claim check is not there any more: expired, lost with Redis, or taken by a repeat of this task."""


class DataError(Exception):
    """The data itself cannot be worked on, wherever it is tried: the one failure that counts as an attempt."""


@contextmanager
def refusals(stage: str) -> Generator[None]:
    """Around pure code: whatever it raises is the data's fault, except running out of memory or being stopped.

    A panic of a compiled library is no `Exception`: left alone, it would end the task without a word.
    """
    try:
        yield
    except _NOT_THE_DATA:
        raise
    except DataProcessingError as error:
        raise DataError(str(error)) from error
    except BaseException as error:
        raise DataError(f"[{stage}] {type(error).__name__}: {error}") from error


@contextmanager
def contained(context: Context, name: str) -> Generator[None]:
    """Around what is derived by definitions: one that cannot be worked on keeps no price from its bars.

    A server that is away is raised. What is lacking `gridtick verify` tells, and a changed definition derives anew.
    """
    try:
        yield
    except (*_NOT_THE_DATA, *_AWAY):
        raise
    except BaseException as error:
        log.error("not derived", extra={"stage": name, "cause": f"{type(error).__name__}: {error}"[:300]})
        context.metrics.count("task_failures", task=name)


@contextmanager
def in_hand(context: Context, headers: Sequence[BatchHeader], stage: str) -> Generator[None]:
    """Around one stage of one batch, or of some together.

    A data error is raised, and of one batch reported to the bridge: of some nobody knows yet whose it is. A claim that
    is gone ends the stage quietly; any other error is raised: a server is away, and the bridge sends the batches again.
    """
    started, facts = time.monotonic(), headers[0].facts() | {"batches": len(headers)}
    acks.start(context.redis, *(_hand(each) for each in headers), stage=stage)
    try:
        yield
    except Gone:
        log.info("claim is gone, left to the repeat", extra={"stage": stage, **facts})
        context.metrics.count("task_failures", task=f"{stage}.gone")
    except DataError as error:
        if len(headers) == 1:
            refuse(context, headers[0], str(error))
        raise
    except Exception as error:
        log.warning("stage failed, left to the repeat", extra={"cause": short(error), **facts})
        context.metrics.count("task_failures", task=stage)
        raise
    finally:
        with suppress(*OUTAGE):
            acks.finish(context.redis, *(_hand(each) for each in headers))
        took = time.monotonic() - started
        context.metrics.observe("task_seconds", took, task=stage)
        log.debug("stage done", extra={"stage": stage, "seconds": round(took, 3), **facts})


def _hand(header: BatchHeader) -> tuple[str, str]:
    return header.assignment, header.batch_id


def take(context: Context, header: BatchHeader, stage: str) -> bytes:
    """The claim check that the stage before left. Raises `Gone`."""
    return claimed(context, header.claim(stage))


def claimed(context: Context, name: str) -> bytes:
    """A claim check. Raises `Gone`."""
    blob = claims.get(context.redis, name)
    if blob is None:
        raise Gone(name)
    return blob


def refuse(context: Context, header: BatchHeader, error: str) -> None:
    """Tells the bridge that the data of this batch cannot be worked on; nobody waits for it to be stored."""
    log.error("batch refused", extra={"cause": error[:MOST_ERROR], **header.facts()})
    ack = Ack(header.partition, header.first, header.next, error=error[:MOST_ERROR] or "unknown")
    acks.push(context.redis, header.assignment, ack)
    context.passes.arrived(header.batch_id)


def landed(context: Context, header: BatchHeader) -> None:
    """Tells the bridge that this batch has landed."""
    ack = Ack(
        partition=header.partition,
        first=header.first,
        next=header.next,
        messages=header.messages,
        ticks=header.ticks,
        rejects=header.rejects,
        dead_letters=header.dead_letters,
        invalid=header.invalid,
        lead=header.runs.lead,
        trail=header.runs.trail,
        longest=header.runs.longest,
        parts=header.runs.parts,
    )
    acks.push(context.redis, header.assignment, ack)


def short(error: Exception) -> str:
    """An error for a log line."""
    return f"{type(error).__name__}: {error}"[:300]
