"""Routes that will go: a warning for each, once."""

import sys
import warnings
from typing import Final

import httpx

from gridtick.client.asked import Ask

_PACKAGE: Final = __name__.rpartition(".")[0]
_TELLING: Final = ("deprecation", "sunset", "successor-version")


class Warned:
    """The routes that were warned of (RFC 9745 `Deprecation`, RFC 8594 `Sunset`)."""

    def __init__(self) -> None:
        self._routes = set[str]()

    def look(self, ask: Ask, answer: httpx.Response) -> None:
        """Warns where an answer says that its route is deprecated, at the line that called the client."""
        route = f"{ask.method} {ask.route or ask.path}"
        if "deprecation" not in answer.headers or route in self._routes:
            return
        self._routes.add(route)
        warnings.warn(_sentence(route, answer), DeprecationWarning, stacklevel=_outside())


def _sentence(route: str, answer: httpx.Response) -> str:
    until = f" It ends on {answer.headers['sunset']}." if "sunset" in answer.headers else ""
    found = [answer.links[kind]["url"] for kind in _TELLING if "url" in answer.links.get(kind, {})]
    link = f" See {found[0]} for what to do." if found else ""
    return f"{route} is deprecated.{until}{link}"


def _outside() -> int:
    """How many calls lie between the warning and the first line that is not of this package."""
    frame, depth = sys._getframe(1), 1  # pyright: ignore[reportPrivateUsage]
    while frame.f_back is not None and frame.f_globals.get("__name__", "").startswith(_PACKAGE):
        frame, depth = frame.f_back, depth + 1
    return depth
