"""The instant of which an answer tells what was known."""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from api.problems import invalid
from api.reads.ports import Reads
from service import clock


class Moment(NamedTuple):
    """`complete`: everything that was known at the instant has landed, so that no number of the answer can ever change.
    `lasts`: nor anything else of it."""

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


def described(known: Moment | None, complete: Iterable[bool]) -> Moment | None:
    """The moment of an answer that says of instruments what the reference says of them today: while it is not complete
    for all of them, units and flags may still change."""
    return known and known._replace(lasts=known.lasts and all(complete))


async def arrived(reads: Reads, known: Moment | None) -> datetime:
    """Up to when the prices of an answer have arrived; to be asked before they are read: of what comes meanwhile it may
    know nothing."""
    if known is not None and known.complete:
        return known.at
    return min(await reads.watermark(), clock.now() if known is None else known.at)
