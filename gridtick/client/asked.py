"""What is asked of the API, as values: no client is needed to make them, so both kinds of client share them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Generic, NamedTuple, TypeVar

from gridtick.client.given import Parameters
from gridtick.client.rows import exact

T = TypeVar("T")
_ONCE = "Idempotency-Key"


class Ask(NamedTuple):
    """A request. `route`: its path without what names a single thing; the path itself where there is none."""

    method: str
    path: str
    given: Parameters = MappingProxyType({})
    body: Mapping[str, object] | None = None
    headers: Mapping[str, str] = MappingProxyType({})
    route: str = ""

    @property
    def is_repeatable(self) -> bool:
        """Whether it does the same however often it is sent."""
        return self.method == "GET" or _ONCE in self.headers


@dataclass(frozen=True)
class Call(Generic[T]):
    """A request that is answered by one object, and what is made of that."""

    ask: Ask
    made: Callable[[dict[str, Any]], Any]


@dataclass(frozen=True)
class Lines(Generic[T]):
    """A request that is answered by an object a line."""

    ask: Ask


@dataclass(frozen=True)
class Listing(Generic[T]):
    """A list that comes in pages.

    `limit`: of all rows together. `most`: rows that an answer may have, where those are fewer than everywhere else.
    `is_long`: whether the formats with columns send all of it in one answer.
    """

    path: str
    given: Parameters
    limit: int | None = None
    most: int | None = None
    shape: Callable[[dict[str, Any]], Any] = exact
    is_long: bool = False
    route: str = ""


def plain(found: dict[str, Any]) -> Any:
    """The object as it was answered."""
    return found


def once_header(name: str | None) -> dict[str, str]:
    """The header that makes a change happen once, however often it is sent."""
    return {} if name is None else {_ONCE: name}
