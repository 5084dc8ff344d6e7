"""Which format an answer has: the one that `format` names, else the one that `Accept` likes best (RFC 9110, 12.5.1)."""

import re
from functools import lru_cache
from typing import Final, NamedTuple

from starlette.requests import Request

from api.formats.media import MEDIA, PAGE, FormatName
from api.problems import Problem

_Q: Final = re.compile(r"(?:0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)")
_SHOWN: Final = 80  # characters of a refused Accept that are repeated


class _Range(NamedTuple):
    """A media range of `Accept`, and how much it is liked: 0 not at all, 1 most."""

    name: str
    liking: float


def negotiated(accept: str | None, named: FormatName | None) -> FormatName:
    """The format. Without either it is JSON. 406 for an Accept that names no format of ours."""
    if named is not None:
        return named
    found = _liked(accept) if accept else "json"
    if found is None:
        raise _refused(accept or "")
    return found


def accepted(request: Request) -> str:
    """Every `Accept` that was sent, as one."""
    return ",".join(request.headers.getlist("accept"))


def is_json(accept: str | None) -> bool:
    """Whether JSON is what such an `Accept` likes best."""
    return not accept or _liked(accept) == "json"


@lru_cache(maxsize=256)
def _liked(accept: str) -> FormatName | None:
    """The format that is liked best; of several the one that is named most exactly, then the first of ours."""
    ranges = [_range(each) for each in accept.split(",") if each.strip()]
    if not ranges:
        return "json"
    best = max(MEDIA, key=lambda name: _liking(name, ranges))
    return best if _liking(best, ranges)[0] else None


def _range(text: str) -> _Range:
    name, *parameters = (part.strip().lower() for part in text.split(";"))
    given = [each.partition("=")[2].strip() for each in parameters if each.partition("=")[0].strip() == "q"]
    if not given:
        return _Range(name, 1.0)
    return _Range(name, float(given[0]) if _Q.fullmatch(given[0]) else 0.0)


def _liking(name: FormatName, ranges: list[_Range]) -> tuple[float, int]:
    """How much a format is liked, by the range that names it most exactly; and how exactly that one does."""
    types = (*MEDIA[name].types, PAGE) if name == "json" else MEDIA[name].types
    found = [(_exactness(each.name, types), each.liking) for each in ranges]
    exactness, liking = max(found)
    return (liking, exactness) if exactness else (0.0, 0)


def _exactness(name: str, types: tuple[str, ...]) -> int:
    if name in types:
        return 3
    if name.endswith("/*") and any(each.startswith(name[:-1]) for each in types if each != PAGE):
        return 2
    return 1 if name == "*/*" else 0


def _refused(accept: str) -> Problem:
    types = ", ".join(medium.types[0] for medium in MEDIA.values())
    detail = (
        f"Accept: {accept[:_SHOWN]} names no format of this list. It has {types}; or leave Accept out and give format="
    )
    return Problem(406, "not-acceptable", f"{detail}{', '.join(MEDIA)}.")
