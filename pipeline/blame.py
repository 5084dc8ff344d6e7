"""Why one message did not decode: the field, what stood there, and a sentence. Only refused messages come here."""

import json
import re
from typing import Final, cast

import msgspec

from pipeline.rejects import SHOWN, Reject, sentence

_PATH: Final = re.compile(r" - at `\$\.?(?P<path>[^`]*)`")
_NOT_FINITE: Final = ("NaN", "Infinity", "-Infinity")


def blame(index: int, value: bytes, error: Exception) -> Reject:
    """The refusal of the message `value`, which failed to decode with `error`."""
    if isinstance(error, msgspec.ValidationError):
        return _wrong_shape(index, value, str(error))
    field = _not_finite(value)
    if field is not None:
        where, what = field
        return Reject(index, where, what, sentence(where, what, "is not a finite decimal number"))
    shown = value[:SHOWN].decode(errors="replace")
    problem = "is nested too deep" if isinstance(error, RecursionError) else f"is not JSON: {error}"
    return Reject(index, "message", shown, sentence("message", shown[:60], problem))


def _wrong_shape(index: int, value: bytes, error: str) -> Reject:
    found = _PATH.search(error)
    path = found["path"] if found else ""
    problem = error[: found.start()] if found else error
    missing = re.search(r"missing required field `(\w+)`", problem)
    field = ".".join(part for part in (path, missing[1] if missing else "") if part) or "message"
    shown = "" if missing else _at(value, path)
    reason = "is absent" if missing else f"has the wrong type: {problem[0].lower()}{problem[1:]}"
    return Reject(index, field, shown, sentence(field, shown, reason))


def _at(value: bytes, path: str) -> str:
    """The JSON text that stands at a path such as `payload.market`; the message's own beginning without one."""
    try:
        here: object = msgspec.json.decode(value) if path else msgspec.Raw(value)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return value[:SHOWN].decode(errors="replace")
    for step in path.split(".") if path else ():
        here = cast("dict[str, object]", here).get(step) if isinstance(here, dict) else None
    return here if isinstance(here, str) else msgspec.json.encode(here).decode(errors="replace")[:SHOWN]


def _not_finite(value: bytes) -> tuple[str, str] | None:
    """Where a message that is JSON otherwise writes NaN or an infinity, which JSON does not know."""
    if not any(word.encode() in value for word in _NOT_FINITE):
        return None
    try:
        message = json.loads(value, parse_constant=_Constant)
    except (ValueError, RecursionError):
        return None
    return _search(message, "")


class _Constant(str):
    """A NaN or an infinity met while parsing, by its name."""

    __slots__ = ()


def _search(here: object, path: str) -> tuple[str, str] | None:
    if isinstance(here, _Constant):
        return path, str(here)
    for step, below in cast("dict[str, object]", here).items() if isinstance(here, dict) else ():
        found = _search(below, f"{path}.{step}" if path else step)
        if found:
            return found
    return None
