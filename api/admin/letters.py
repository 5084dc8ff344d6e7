"""Dead letters as they are listed, and what is sent again of them. Pure but for the refusals."""

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from typing import Any, Final, NamedTuple

from fastapi import Request

from api.admin.letter_query import LettersQuery
from api.problems import Problem, invalid, not_found
from api.reads.letter_port import Replay
from api.security.audit import denied
from api.security.principal import Principal
from db.letters import rows
from db.letters.causes import Cause, Dead, by_cause
from db.letters.held import TooMany
from db.letters.named import Unclear, with_cause
from db.letters.sending import Result, Wanted, wanted
from db.letters.states import State
from service import clock
from service.settings import MIB, Kafka

Row = dict[str, Any]
Place = tuple[int, str]
"""Where a row stands in a list, whose first place is the least: by the newest writing, then by id."""

_MOST_BYTES: Final = 256 * MIB  # of the messages that one request sends


_Placed = tuple[Place, Callable[[], Row]]


class Plan(NamedTuple):
    """Of `chosen` letters those that are sent now; `left_out`: on the way or landed, `remaining`: for a next time."""

    chosen: int
    now: Sequence[Wanted]
    left_out: int
    remaining: int


def require_operator(request: Request, caller: Principal) -> None:
    """403 for all but the operator: a letter may hold the bytes of any tenant, and names none surely."""
    if not caller.is_operator:
        denied(request, "operator", caller)
        detail = "Dead letters may hold bytes of any tenant: they are read and sent again with a key of the tenant \
public. Ask the operator."
        raise Problem(403, "operator-only", detail)


@contextmanager
def told(parameter: str | None = None) -> Generator[None]:
    """Raises a problem instead; `parameter`: where the request named what is not clear, if elsewhere."""
    try:
        yield
    except Unclear as error:
        name, what = parameter or error.what, f"{error.wanted!r} {error.told}."
        if error.found:
            raise invalid(name, what) from None
        lists = "/v1/admin/dead-letters lists causes, with `cause` their dead letters."
        raise not_found(f"{name}: {what} {lists}") from None
    except TooMany:
        raise invalid("since", "there are more dead letters than are read at once. Name a later instant.") from None


def page(dead: list[Dead], ask: LettersQuery, after: Place | None) -> list[tuple[Place, Row]]:
    """The rows of a page, the newest first, and one more where there are more. Raises `Unclear`."""
    found = dead if ask.cause is None else with_cause(dead, ask.cause)
    wanted = filter(_is_wanted(ask), found)
    ordered = sorted(_causes(wanted) if ask.cause is None else _letters(wanted), key=lambda each: each[0])
    rest = ordered if after is None else [each for each in ordered if each[0] > after]
    return [(place, made()) for place, made in rest[: ask.limit + 1]]


def letter_row(dead: Dead) -> Row:
    letter = dead.letter
    more = {"cause": dead.cause, "stage": letter.stage, "error": letter.error_class, "topic_id": letter.first[0]}
    return {**rows.letter_row(dead), **more}


def plan(dead: list[Dead], replay: Replay, kafka: Kafka) -> Plan:
    """What is sent now: at most so many, those that wait before those that were asked for already. Raises `Unclear`."""
    chosen = replay.choice.of(dead)
    due = sorted(wanted(chosen, replay.choice, kafka), key=lambda each: each.dead.state is not State.waiting)
    now = _portion(due, replay.limit)
    return Plan(len(chosen), now, len(chosen) - len(due), len(due) - len(now))


def outcome(plan: Plan, result: Result, *, dry_run: bool) -> Row:
    """The answer of a replay."""
    failed = [{"id": dead.id, "reason": reason} for dead, reason in result.failed]
    counts = {"chosen": plan.chosen, "sent": len(result.sent), "bytes": result.size, "left_out": plan.left_out}
    topics = sorted({each.topic for each in result.sent})
    return {"dry_run": dry_run, **counts, "remaining": plan.remaining, "topics": topics, "failed": failed}


def _is_wanted(ask: LettersQuery) -> Callable[[Dead], bool]:
    since, until = _ms(ask.since), _ms(ask.until)

    def check(dead: Dead) -> bool:
        letter = dead.letter
        timely = (since is None or letter.written_ms >= since) and (until is None or letter.written_ms < until)
        return timely and ask.topic in (None, letter.topic) and ask.state in (None, dead.state)

    return check


def _ms(at: datetime | None) -> int | None:
    return None if at is None else clock.to_us(at) // 1000


def _letters(dead: Iterable[Dead]) -> Iterator[_Placed]:
    for each in dead:
        yield (-each.letter.written_ms, each.id), partial(letter_row, each)


def _causes(dead: Iterable[Dead]) -> Iterator[_Placed]:
    for cause, group in by_cause(dead):
        yield (-group[0].letter.written_ms, cause.id), partial(_cause_row, cause, group)


def _cause_row(cause: Cause, group: Sequence[Dead]) -> Row:
    return {**rows.cause_row(cause, group)}


def _portion(due: Sequence[Wanted], limit: int) -> Sequence[Wanted]:
    """The first of them, at least one: so many, of not too many bytes together."""
    size = 0
    for number, each in enumerate(due[:limit]):
        size += each.dead.letter.size
        if number and size > _MOST_BYTES:
            return due[:number]
    return due[:limit]
