"""The part of the client that reads the audit record."""

from typing import Any, Literal, TypedDict

from gridtick.client.asked import Listing
from gridtick.client.given import Instant, iso
from gridtick.client.methods import AsyncPart, Part, async_rows, rows


class AuditRecord(TypedDict):
    """An administrative change, or denied accesses that are alike."""

    seq: int
    at: str
    tenant: str
    actor: str
    actor_tenant: str
    action: str
    target: str
    outcome: Literal["done", "denied"]
    request_id: str
    detail: dict[str, Any]
    hash: str


def _list(
    *,
    tenant: str | None = None,
    action: str | None = None,
    actor: str | None = None,
    since: Instant | None = None,
    until: Instant | None = None,
    limit: int | None = None,
) -> Listing[AuditRecord]:
    """Records over [since, until), the newest last: of your tenant; for a key of `public` of all, or of one."""
    given = {"tenant": tenant, "action": action, "actor": actor, "since": iso(since), "until": iso(until)}
    return Listing("/v1/admin/audit", given, limit)


class Audit(Part):
    """The reads of the audit record; the key needs the scope `audit:read`."""

    list = rows(_list)


class AsyncAudit(AsyncPart):
    """The same, awaited."""

    list = async_rows(_list)
