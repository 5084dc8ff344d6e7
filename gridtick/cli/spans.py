"""Lengths of time and ends as options name them."""

import re
from datetime import datetime, timedelta
from typing import Final

from pipeline.errors import DataProcessingError

_SPAN: Final = re.compile(r"([0-9]{1,6})([smhd])", re.ASCII)
_UNITS: Final = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def span(option: str, text: str) -> timedelta:
    """`24h`, or `0`. Raises `DataProcessingError` that names the option."""
    found = _SPAN.fullmatch(text)
    if found is None and text != "0":
        raise DataProcessingError(f"{option} {text} is no length of time. Write e.g. 30m, 24h or 7d.", "cli")
    return timedelta(0) if found is None else timedelta(**{_UNITS[found[2]]: int(found[1])})


def end(option: str, text: str | None, now: datetime) -> datetime | None:
    """When something ends: `90d` from now, or an instant that lies ahead. Raises `DataProcessingError` else."""
    if text is None:
        return None
    found = now + span(option, text) if _SPAN.fullmatch(text) else _instant(option, text)
    if found <= now:
        raise DataProcessingError(f"{option} {text} lies in the past. Give a later instant, or e.g. 90d.", "cli")
    return found


def _instant(option: str, text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise DataProcessingError(
            f"{option} {text} is neither a length of time nor an instant. Write e.g. 90d or 2027-01-01T00:00:00Z.",
            "cli",
        )
    return found
