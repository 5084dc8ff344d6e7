"""The shape of an API key, `gt_live_{id}_{secret}_{crc}`, and what is stored of it.

Whoever looks for keys that leaked finds them by this shape and, to be sure, by the checksum: the CRC-32 of all that
stands before its `_`, as 8 hexadecimal digits.
"""

import hashlib
import hmac
import re
import secrets
import string
import zlib
from dataclasses import dataclass, field

_ALPHABET = string.digits + string.ascii_letters
_SHAPE = re.compile(r"(gt_live_([0-9A-Za-z]{12})_([0-9A-Za-z]{32}))_([0-9a-f]{8})")
_NOTHING = b"\0" * 32
_LENGTH = 32


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


@dataclass(frozen=True, slots=True)
class Peppers:
    """What digests are under: new ones under the present one; `before`: the one that it replaces, while keys hang on
    it."""

    present: str = field(repr=False)
    before: str = field(default="", repr=False)

    def every(self) -> tuple[str, ...]:
        return (self.present, self.before) if self.before else (self.present,)

    def under(self, key: ApiKey, digest: bytes | None) -> str | None:
        """The pepper that the digest of this key is under, None where it is under neither.

        Takes as long whatever the answer, also for no digest at all.
        """
        pairs = [(each, hmac.compare_digest(key.digest(each), digest or _NOTHING)) for each in self.every()]
        return next((each for each, same in pairs if same), None)


def make() -> ApiKey:
    """A new random key."""
    return ApiKey(new_id(), _random(_LENGTH))


def new_id() -> str:
    return _random(12)


def derived(pepper: str, key_id: str, name: str) -> ApiKey:
    """The key of this id that a secret name stands for: the same text again for who knows pepper and name, so that
    a key can be shown once more though its secret is stored nowhere. It is as secret as the weaker of the two.
    """
    message = f"derived\0{key_id}\0{name}".encode()  # no digest is of such a text: an id holds no NUL
    number, letters = int.from_bytes(hmac.digest(pepper.encode(), message, hashlib.sha256)), ""
    for _ in range(_LENGTH):
        number, place = divmod(number, len(_ALPHABET))
        letters += _ALPHABET[place]
    return ApiKey(key_id, letters)


def fingerprint(pepper: str) -> str:
    """What may be shown of a pepper: it tells two apart and says nothing of either."""
    return hmac.digest(pepper.encode(), b"fingerprint", hashlib.sha256)[:4].hex()


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
