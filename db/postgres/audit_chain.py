"""The chain of the audit record: what a record's hash covers, and what is wrong with a chain that does not hold.

A record's hash is HMAC-SHA256 over all its fields and the hash of the record before it; the seal of the head is one
over the number of records and the last hash. Who can write the table but has no secret cannot make either.
"""

import hashlib
import hmac
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final, NamedTuple

import msgspec

from service import clock

START: Final = bytes(hashlib.sha256().digest_size)
"""What stands for the hash before the first record."""


class Record(NamedTuple):
    """A row of the table `audit`. `detail`: JSON as it was written; `at` has microseconds."""

    seq: int
    at: datetime
    tenant: str
    actor: str
    actor_tenant: str
    action: str
    target: str
    outcome: str
    request_id: str
    detail: str
    hash: bytes


class Head(NamedTuple):
    """The row of the table `audit_head`: how many records there are, the hash of the last one, and the seal of both
    (none before the first record)."""

    seq: int
    hash: bytes
    seal: bytes | None

    def is_sealed(self, secret: str) -> bool:
        """Whether it is as a holder of the secret left it."""
        if self.seal is None:
            return (self.seq, self.hash) == (0, START)
        return hmac.compare_digest(self.seal, sealed(secret, self.seq, self.hash).seal or b"")


class Anchor(NamedTuple):
    """A record's number and hash, kept elsewhere: a chain that was put back to an earlier state does not hold it."""

    seq: int
    hash: bytes

    def __str__(self) -> str:
        return f"{self.seq}:{self.hash.hex()}"


def chained(secret: str, record: Record, before: bytes) -> Record:
    """The record with the hash that it has after one of the hash `before`."""
    fields = [record.seq, clock.to_us(record.at), *record[2:-1], before.hex()]
    return record._replace(hash=_hmac(secret, "record", fields))


def sealed(secret: str, seq: int, last: bytes) -> Head:
    """The head of a chain of `seq` records whose last one has the hash `last`."""
    return Head(seq, last, _hmac(secret, "head", [seq, last.hex()]))


def _hmac(secret: str, what: str, fields: Sequence[object]) -> bytes:
    return hmac.digest(secret.encode(), msgspec.json.encode([what, *fields]), "sha256")


class Check:
    """Looks at the records in the order of `seq`, one at a time, and at the head in the end."""

    def __init__(self, secret: str, anchor: Anchor | None = None) -> None:
        self._secret = secret
        self._anchor = anchor
        self.last: Anchor = Anchor(0, START)

    def next(self, record: Record) -> Iterator[str]:
        """What is wrong with it, as sentences."""
        before = self.last
        if record.seq <= before.seq:
            yield f"record {record.seq} is there more than once"
            return
        if record.seq > before.seq + 1:
            yield f"{_span(before.seq + 1, record.seq - 1)} missing"
        elif chained(self._secret, record, before.hash).hash != record.hash:
            yield f"record {record.seq} is not as it was written, or does not stand where it was written"
        self.last = Anchor(record.seq, record.hash)
        if self._anchor and record.seq == self._anchor.seq and record.hash != self._anchor.hash:
            yield f"record {record.seq} is another one than the anchor's"

    def end(self, head: Head | None) -> Iterator[str]:
        """What the head says that the records do not."""
        if self._anchor and self._anchor.seq > self.last.seq:
            yield f"the anchor's record {self._anchor.seq} is missing: the whole record was put back to an earlier one"
        if head is None:
            yield "the head (table audit_head) is missing"
        elif not head.is_sealed(self._secret):
            yield "the head (table audit_head) is not as it was written, or was written under another secret"
        elif head.seq > self.last.seq:
            yield f"{_span(self.last.seq + 1, head.seq)} missing: the last ones were dropped"
        elif head.seq < self.last.seq:
            yield f"{_span(head.seq + 1, self.last.seq)} beyond the head: added by nobody who has the secret"
        elif head.hash != self.last.hash:
            yield f"record {head.seq} is another one than the head's"


def _span(first: int, last: int) -> str:
    return f"record {first} is" if first == last else f"records {first} to {last} are"
