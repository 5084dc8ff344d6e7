"""The audit record: who did what to whom, and what was refused; appended in the transaction of the change itself."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

import msgspec
from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from db.postgres.audit_chain import Head, Record, chained, sealed
from db.postgres.tables import audit, audit_head
from pipeline.errors import DataProcessingError

CLI: Final = "cli"
"""The actor of what is typed on the machine: it has no key."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One record to be. `tenant`: whose record it is, who may read it; `actor`: the id of a key, or `CLI`;
    `actor_tenant`: whose key it is; `detail`: plain JSON values and instants, never a secret."""

    tenant: str
    actor: str
    actor_tenant: str
    action: str
    target: str
    outcome: Literal["done", "denied"]
    request_id: str
    detail: Mapping[str, object]


_LOCKED: Final = select(audit_head.c.seq, audit_head.c.hash, audit_head.c.seal).with_for_update()


async def append(connection: AsyncConnection, secret: str, entries: Sequence[Entry], at: datetime) -> None:
    """Adds records in the transaction of the connection, which must be of the default isolation.

    `secret`: `DATA_PROC_API_AUDIT_SECRET`. Others who append wait until this transaction ends: call it last. Raises
    `DataProcessingError` where the record is not as the secret left it; the change must not be made then.
    """
    if not entries:
        return
    head = await _locked_head(connection, secret)
    records: list[Record] = []
    for entry in entries:
        head, record = _next(secret, head, entry, at)
        records.append(record)
    await connection.execute(insert(audit), [each._asdict() for each in records])
    await connection.execute(update(audit_head).values(head._asdict()))


def require_secret(secret: str) -> None:
    """Raises `DataProcessingError` for an empty one."""
    if not secret:
        raise DataProcessingError("DATA_PROC_API_AUDIT_SECRET is empty. Set it to a long random text.", "audit")


async def _locked_head(connection: AsyncConnection, secret: str) -> Head:
    require_secret(secret)
    row = (await connection.execute(_LOCKED)).first()
    head = None if row is None else Head(*row)
    # Going on after a head that somebody else wrote would put our seal on what they did.
    if head is None or not head.is_sealed(secret):
        raise DataProcessingError(
            "the audit record is not as DATA_PROC_API_AUDIT_SECRET left it, so nothing was changed. "
            "`gridtick audit verify` says what is wrong; docs/audit.md says how to go on.",
            "audit",
        )
    return head


def _next(secret: str, head: Head, entry: Entry, at: datetime) -> tuple[Head, Record]:
    detail = msgspec.json.encode(entry.detail, order="sorted").decode()
    fields = (entry.tenant, entry.actor, entry.actor_tenant, entry.action, entry.target, entry.outcome)
    record = chained(secret, Record(head.seq + 1, at, *fields, entry.request_id, detail, b""), head.hash)
    return sealed(secret, record.seq, record.hash), record
