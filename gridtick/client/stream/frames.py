"""From a frame, as it was sent, to a message."""

import json
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final, cast

from gridtick.client.curves import exact_snapshot
from gridtick.client.rows import exact
from gridtick.client.stream.errors import Lost, StreamError
from gridtick.client.stream.messages import (
    CaughtUp,
    Complaint,
    Gap,
    Heartbeat,
    IntervalClosed,
    Message,
    StreamSnapshot,
    Subscribed,
    Unknown,
    Update,
    Welcome,
)

Frame = Mapping[str, Any]
ID: Final = 1  # of the one subscription of a connection


def message_of(text: str | bytes) -> Message[Any]:
    """The message. `Lost` where it is none: another connection may do better."""
    try:
        frame = json.loads(text, parse_float=Decimal)
        read = _READERS.get(frame["type"], _unknown)
        return read(frame)
    except (ValueError, RecursionError, KeyError, TypeError, AttributeError) as error:
        reason = f"a message is none of this protocol ({type(error).__name__}: {error})"
        raise Lost(reason, shown=StreamError(f"A{reason[1:]}.")) from error


def rows_of(frame: Frame) -> Sequence[dict[str, Any]]:
    """The rows with every decimal as `Decimal`, whole ones too."""
    return [shaped(row) for row in frame["data"]]


def shaped(row: dict[str, Any]) -> dict[str, Any]:
    return cast("dict[str, Any]", exact_snapshot(row)) if "curve" in row else exact(row)


def _welcome(frame: Frame) -> Message[Any]:
    return Welcome(
        version=str(frame.get("version", "")),
        server_time=frame["server_time"],
        authenticated=frame["authenticated"],
        heartbeat_seconds=float(frame["heartbeat_seconds"]),
        resume_window=frame.get("resume_window", {}),
        limits=frame.get("limits", {}),
    )


def _subscribed(frame: Frame) -> Message[Any]:
    return Subscribed(subscriptions=frame["subscriptions"], errors=frame.get("errors", []))


def _snapshot(frame: Frame) -> Message[Any]:
    part, parts = frame.get("part", 1), frame.get("parts", 1)
    told = {name: frame[name] for name in ("channel", "seq", "resume")}
    return StreamSnapshot(data=rows_of(frame), part=part, parts=parts, **told)


def _update(frame: Frame) -> Message[Any]:
    told = {name: frame[name] for name in ("channel", "seq", "prev_seq", "resume")}
    replayed, conflated = frame.get("replayed", False), frame.get("conflated", 0)
    return Update(data=rows_of(frame), replayed=replayed, conflated=conflated, **told)


def _caught_up(frame: Frame) -> Message[Any]:
    return CaughtUp(channel=frame["channel"], seq=frame.get("seq"))


def _closed(frame: Frame) -> Message[Any]:
    told = {name: frame[name] for name in ("market", "product", "interval", "start", "end")}
    return IntervalClosed(open=frame.get("open", []), open_count=frame.get("open_count", 0), **told)


def _heartbeat(frame: Frame) -> Message[Any]:
    own = subscription(frame)
    return Heartbeat(
        server_time=frame["server_time"],
        state=frame["state"],
        known_until=frame.get("known_until"),
        resume=own.get("resume"),
        seq=own.get("seq"),
    )


def subscription(frame: Frame) -> Frame:
    """What a heartbeat says of our subscription."""
    return next((each for each in frame.get("subscriptions", ()) if each.get("id") == ID), {})


def _gap(frame: Frame) -> Message[Any]:
    told = {name: frame.get(name) for name in ("from_seq", "to_seq", "since", "until", "skipped")}
    return Gap(reason=frame["reason"], fill=frame.get("fill") or [], **cast("dict[str, Any]", told))


def _error(frame: Frame) -> Message[Any]:
    detail, fatal = str(frame.get("detail", "")), bool(frame.get("fatal", False))
    return Complaint(id=frame.get("id"), code=str(frame["code"]), detail=detail, fatal=fatal)


def _unknown(frame: Frame) -> Message[Any]:
    return Unknown(frame=frame)


_READERS: Final[Mapping[str, Callable[[Frame], Message[Any]]]] = {
    "welcome": _welcome,
    "subscribed": _subscribed,
    "snapshot": _snapshot,
    "update": _update,
    "caught_up": _caught_up,
    "interval_closed": _closed,
    "heartbeat": _heartbeat,
    "gap": _gap,
    "error": _error,
}
