"""The tags of answers that can never change, as `api.wire.caching` remembers them."""

from collections import OrderedDict
from hashlib import blake2b
from typing import Final, NamedTuple

from starlette.types import Scope

from api.security.principal import Principal, Whose

_BYTES: Final = 32


class Held(NamedTuple):
    """`version`: of the reference it was made under. `route`: the pattern of its route, which asks for `scopes`."""

    tag: str
    version: int
    scopes: frozenset[str]
    route: str


def query_of(scope: Scope, accept: bytes) -> bytes:
    """What an answer is the answer to, of every `Accept` that was sent: a digest, for addresses may be long."""
    return blake2b(b"\n".join((scope["path"].encode(), scope["query_string"], accept)), digest_size=_BYTES).digest()


class Tags:
    """The tags, while the reference that names and units are from stands."""

    def __init__(self, most: int = 20_000) -> None:
        self._most = most
        self._held: OrderedDict[bytes, dict[Whose, Held]] = OrderedDict()

    def knows(self, query: bytes) -> bool:
        """Whether anybody's answer to it is known."""
        return query in self._held

    def of(self, query: bytes, caller: Principal, version: int) -> Held | None:
        """The tag of the answer to a caller."""
        held = self._held.get(query, {}).get(caller.whose)
        return held if held is not None and held.version == version else None

    def keep(self, query: bytes, caller: Principal, held: Held) -> None:
        """Remembers a tag; the oldest are forgotten."""
        self._held.setdefault(query, {})[caller.whose] = held
        self._held.move_to_end(query)
        if len(self._held) > self._most:
            self._held.popitem(last=False)
