"""What the file of an answer is called where it is saved."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from api.formats.media import MEDIA, FormatName

_ODD: Final = re.compile(r"[^A-Za-z0-9._-]+")
_LONGEST: Final = 80  # characters of a part


def disposition(path: str, query: Mapping[str, object], name: FormatName) -> str:
    """The value of `Content-Disposition` for the answer of a route: `ticks-NG_HH_BALMO-20260701.parquet`.

    `query` as it was understood: its instrument (of several the first, and how many more), market and start are told.
    """
    what = "-".join(part for part in path.split("/")[2:] if part)
    parts = [
        what,
        *_instruments(query.get("instrument")),
        str(query.get("market") or ""),
        str(query.get("interval") or ""),
    ]
    parts.append(_day(query.get("start")))
    stem = "-".join(_ODD.sub("_", part)[:_LONGEST] for part in parts if part)
    return f'attachment; filename="{stem}.{MEDIA[name].suffix}"'


def _instruments(given: object) -> list[str]:
    names = [given] if isinstance(given, str) else list(given) if isinstance(given, Sequence) else []
    return [str(names[0]), *([f"and-{len(names) - 1}-more"] if len(names) > 1 else [])] if names else []


def _day(start: object) -> str:
    return f"{start:%Y%m%d}" if isinstance(start, datetime) else str(start or "")
