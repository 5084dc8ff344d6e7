"""The shape of an API key, `gt_live_{id}_{secret}_{crc}`, and what is stored of it."""

import hashlib
import hmac
import re
import secrets
import string
import zlib
from dataclasses import dataclass, field

_ALPHABET = string.digits + string.ascii_letters
_SHAPE = re.compile(r"(gt_live_([0-9A-Za-z]{12})_([0-9A-Za-z]{32}))_([0-9a-f]{8})")


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key in parts: `id` is public, `secret` (190 random bits) is shown once and never stored."""

    id: str
    secret: str = field(repr=False)

    def text(self) -> str:
        """The key as its owner types it."""
        body = f"gt_live_{self.id}_{self.secret}"
        return f"{body}_{_crc(body)}"

    def digest(self, pepper: str) -> bytes:
        """What is stored: HMAC-SHA256 under the pepper, bound to the id."""
        return hmac.digest(pepper.encode(), f"{self.id}.{self.secret}".encode(), hashlib.sha256)


def make() -> ApiKey:
    """A new random key."""
    return ApiKey(_random(12), _random(32))


def parse(text: str) -> ApiKey | None:
    """The key, or None where shape or checksum are wrong: a typing error costs no look-up."""
    match = _SHAPE.fullmatch(text)
    if match is None or _crc(match[1]) != match[4]:
        return None
    return ApiKey(match[2], match[3])


def _random(length: int) -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))


def _crc(body: str) -> str:
    return f"{zlib.crc32(body.encode()):08x}"
