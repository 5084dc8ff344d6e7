"""The part of the client that reads dead letters and sends them again."""

from collections.abc import Sequence
from typing import Any, Final, Literal, TypedDict
from urllib.parse import quote

from gridtick.client.asked import Ask, Call, Listing, once_header, plain
from gridtick.client.given import Instant, iso, there
from gridtick.client.methods import AsyncPart, Part, async_call, async_rows, call, rows

State = Literal["waiting", "replayed", "landed"]
_PATH: Final = "/v1/admin/dead-letters"


class DeadLetterCause(TypedDict):
    """Dead letters that are alike but for numbers and quoted values; `example` is the newest."""

    cause: str
    stage: str
    error: str
    market: str | None
    reason: str
    letters: int
    waiting: int
    replayed: int
    landed: int
    first_seen: str
    last_seen: str
    example: str
    name: str | None


class DeadLetter(TypedDict):
    """A message that could not be read; topic, partition and offset are those of its first message."""

    id: str
    cause: str
    state: State
    stage: str
    error: str
    reason: str
    attempts: int
    market: str | None
    name: str | None
    topic: str
    topic_id: str
    partition: int
    offset: int
    bytes: int
    refused_rows: int
    first_seen: str
    last_seen: str


class DeadLetterShown(DeadLetter):
    """With its message: key, headers and value as `base64` and, where they are UTF-8, `text`."""

    attempt_asked: int | None
    labels: dict[str, str]
    program_version: str | None
    replayed_at: str | None
    refused: list[dict[str, Any]]
    message: dict[str, Any]


class Replayed(TypedDict):
    """What came of a replay; `remaining` are for another one."""

    dry_run: bool
    chosen: int
    sent: int
    bytes: int
    left_out: int
    remaining: int
    topics: list[str]
    failed: list[dict[str, str]]


def _causes(
    *,
    topic: str | None = None,
    since: Instant | None = None,
    until: Instant | None = None,
    state: State | None = None,
    limit: int | None = None,
) -> Listing[DeadLetterCause]:
    """Causes, the newest first."""
    return Listing(_PATH, {"topic": topic, "since": iso(since), "until": iso(until), "state": state}, limit)


def _list(
    cause: str,
    *,
    topic: str | None = None,
    since: Instant | None = None,
    until: Instant | None = None,
    state: State | None = None,
    limit: int | None = None,
) -> Listing[DeadLetter]:
    """The dead letters of a cause, the newest first."""
    given = {"cause": cause, "topic": topic, "since": iso(since), "until": iso(until), "state": state}
    return Listing(_PATH, given, limit)


def _show(letter: str) -> Call[DeadLetterShown]:
    """One of them, by its id, the beginning of it, or `topic id/partition/offset` of its first message."""
    return Call(Ask("GET", f"{_PATH}/{quote(letter)}", route=_PATH + "/{id}"), plain)


def _replay(  # noqa: PLR0913 - one a choice
    letters: Sequence[str] = (),
    *,
    cause: str | None = None,
    every: bool = False,
    since: Instant | None = None,
    market: str | None = None,
    product: str | None = None,
    tenant: str | None = None,
    again: bool = False,
    dry_run: bool = False,
    limit: int | None = None,
    once: str | None = None,
) -> Call[Replayed]:
    """Sends again `letters`, those of a `cause`, or `every` one that waits; under other labels where given.

    `again`: also what is on the way or has landed. `once`: an Idempotency-Key.
    """
    chosen = {"letters": [*letters] or None, "cause": cause, "all": every, "since": iso(since)}
    labels = {"market": market, "product": product, "tenant": tenant}
    body = there({**chosen, **labels, "again": again, "dry_run": dry_run, "limit": limit})
    return Call(Ask("POST", f"{_PATH}/replay", body=body, headers=once_header(once)), plain)


class DeadLetters(Part):
    """Dead letters, for keys of `public` with the scope `dlq:write`. Over [since, until) of when they were refused."""

    causes = rows(_causes)
    list = rows(_list)
    show = call(_show)
    replay = call(_replay)


class AsyncDeadLetters(AsyncPart):
    """The same, awaited."""

    causes = async_rows(_causes)
    list = async_rows(_list)
    show = async_call(_show)
    replay = async_call(_replay)
