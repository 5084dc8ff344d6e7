"""The instant of which an answer tells what was known."""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from api.problems import invalid
from api.reads.ports import Reads
from pipeline.generic import DERIVED
from service import clock


class Moment(NamedTuple):
    """`complete`: everything that was known at the instant has landed: no message can ever change the answer. `lasts`:
    nor can anything else."""

    at: datetime
    complete: bool
    lasts: bool


async def moment(reads: Reads, as_of: datetime | None) -> Moment | None:
    """To be asked for before anything else is read: what lands meanwhile does no harm. 422 for an instant to come."""
    if as_of is None:
        return None
    if as_of > clock.now():
        raise invalid("as_of", "lies in the future. Leave it out for what is known now.")
    complete = await reads.has_landed(as_of)
    return Moment(as_of, complete, complete)


def described(known: Moment | None, instruments: Iterable[tuple[bool, str]]) -> Moment | None:
    """The moment of an answer about instruments of today's reference, of which `complete` and `market` are given: units
    and flags of one that is not complete may still change, and what is derived follows from today's definition."""
    lasts = all(complete and market != DERIVED for complete, market in instruments)
    return known and known._replace(lasts=known.lasts and lasts)


def defined(known: Moment | None) -> Moment | None:
    """The moment of an answer that follows from what is defined today."""
    return known and known._replace(lasts=False)


async def arrived(reads: Reads, known: Moment | None) -> datetime:
    """Up to when the prices of an answer have arrived; to be asked before they are read: of what comes meanwhile it may
    know nothing."""
    if known is not None and known.complete:
        return known.at
    return min(await reads.watermark(), clock.now() if known is None else known.at)
