"""The part of the client that reads the audit record."""

from typing import Any, Literal, TypedDict

from gridtick.client.given import Instant, iso
from gridtick.client.http import Api
from gridtick.client.listed import Rows


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


class Audit:
    """The reads of the audit record; the key needs the scope `audit:read`."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def list(
        self,
        *,
        tenant: str | None = None,
        action: str | None = None,
        actor: str | None = None,
        since: Instant | None = None,
        until: Instant | None = None,
        limit: int | None = None,
    ) -> Rows[AuditRecord]:
        """Records over [since, until), the newest last: of your tenant; for a key of `public` of all, or of one."""
        given = {"tenant": tenant, "action": action, "actor": actor, "since": iso(since), "until": iso(until)}
        return Rows[AuditRecord](self._api.pages("/v1/admin/audit", given, limit))
