"""Page cursors: opaque, signed, and bound to the query and the caller that they came from."""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from api.problems import Problem, invalid

_TAG: Final = 16


class Cursors:
    """Makes and reads cursors under one secret."""

    def __init__(self, secret: str) -> None:
        self._secret = secret.encode()

    def make(self, query: Mapping[str, object], tenant: str, position: object) -> str:
        """The cursor of a position (plain JSON values) in the answer to a query."""
        payload = msgspec.json.encode(position)
        return base64.urlsafe_b64encode(self._tag(query, tenant, payload) + payload).decode().rstrip("=")

    def read(self, query: Mapping[str, object], tenant: str, cursor: str) -> Any:
        """The position. Raises a 422 problem where the cursor is not from this query and caller."""
        try:
            raw = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        except (binascii.Error, ValueError):
            raise _refused() from None
        tag, payload = raw[:_TAG], raw[_TAG:]
        if not hmac.compare_digest(tag, self._tag(query, tenant, payload)):
            raise _refused()
        return msgspec.json.decode(payload)

    def _tag(self, query: Mapping[str, object], tenant: str, payload: bytes) -> bytes:
        bound = msgspec.json.encode([dict(sorted(query.items())), tenant])
        return hmac.digest(self._secret, hashlib.sha256(bound).digest() + payload, "sha256")[:_TAG]


def _refused() -> Problem:
    return invalid("cursor", "does not belong to this query. Take `next` of an answer and leave the rest as it was.")
