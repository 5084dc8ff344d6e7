"""Who may call what, written down beside the program: an operation that is not here fails the test.

The scopes stand here once more on purpose: what the program declares is compared with what was meant.
"""

from dataclasses import dataclass
from typing import Final, Literal

Data = Literal["own", "other", "none"]
Who = Literal["open", "any-key", "reader", "own-admin", "tenant-admin", "operator", "operator-data"]
ROLES: Final = {
    "viewer": {"prices:read", "bars:read", "curves:read"},
    "analyst": {"prices:read", "bars:read", "curves:read", "stream:read"},
    "operator": {"prices:read", "bars:read", "curves:read", "stream:read", "audit:read", "dlq:write"},
    "admin": {
        "prices:read", "bars:read", "curves:read", "stream:read", "audit:read", "dlq:write", "keys:admin",
        "tenants:admin",
    },
}  # fmt: skip
DATA: Final[tuple[Data, ...]] = ("own", "other", "none")


@dataclass(frozen=True, slots=True)
class Rule:
    """`path` is asked for; `{tenant}` is whose data, `{key}` a key of it, `{node}` an instrument of it.

    `who`: `open` without a key; `any-key` needs no scope; `reader`: own and public rows, another tenant's are 404;
    `own-admin`: its own tenant's alone, the operator's keys too; `tenant-admin`: as that, but the operator's keys may
    name any tenant; `operator`: a change that only the operator's keys make, 403 on the own tenant, 404 on another;
    `operator-data`: what belongs to no tenant, for the operator's keys alone.
    """

    scope: str
    who: Who
    path: str
    tenanted: bool = True  # whether the request says whose data it wants
    body: object = None
    good: tuple[int, ...] = (200,)


_START: Final = "start=2026-07-01T00:00:00Z"
_FLAG: Final = "tenant={tenant}"

POLICY: Final[dict[str, Rule]] = {
    "GET /healthz": Rule("", "open", "/healthz", tenanted=False),
    "GET /readyz": Rule("", "open", "/readyz", tenanted=False),
    "GET /metrics": Rule("", "open", "/metrics", tenanted=False),
    "GET /v1/status": Rule("", "open", "/v1/status", tenanted=False),
    "GET /asyncapi.json": Rule("", "open", "/asyncapi.json", tenanted=False),
    "GET /openapi.json": Rule("", "open", "/openapi.json", tenanted=False),
    "GET /": Rule("", "open", "/", tenanted=False),
    "GET /live/{version}/{name}": Rule("", "open", "/live/none/none", tenanted=False, good=(404,)),
    "GET /docs": Rule("", "open", "/docs", tenanted=False),
    "GET /docs/reference": Rule("", "open", "/docs/reference", tenanted=False),
    "GET /docs/errors": Rule("", "open", "/docs/errors", tenanted=False),
    "GET /docs/errors/{kind}": Rule("", "open", "/docs/errors/not-found", tenanted=False),
    "GET /docs/assets/{name}": Rule("", "open", "/docs/assets/none", tenanted=False, good=(404,)),
    "GET /v1/me": Rule("", "any-key", "/v1/me", tenanted=False),
    "GET /v1/usage": Rule("", "any-key", "/v1/usage", tenanted=False),
    "GET /v1/markets": Rule("prices:read", "reader", "/v1/markets?" + _FLAG),
    "GET /v1/prices/latest": Rule("prices:read", "reader", "/v1/prices/latest?market=caiso&" + _FLAG),
    "GET /v1/instruments": Rule("prices:read", "reader", "/v1/instruments?" + _FLAG),
    "GET /v1/instruments/{instrument:path}": Rule("prices:read", "reader", "/v1/instruments/{node}?" + _FLAG),
    "GET /v1/instruments/{instrument:path}/coverage": Rule(
        "prices:read", "reader", "/v1/instruments/{node}/coverage?" + _FLAG
    ),
    "GET /v1/ticks": Rule("prices:read", "reader", f"/v1/ticks?instrument={{node}}&{_START}&{_FLAG}"),
    "GET /v1/bars": Rule("bars:read", "reader", f"/v1/bars?instrument={{node}}&interval=1h&{_START}&{_FLAG}"),
    "GET /v1/bars/explain": Rule(
        "bars:read", "reader", f"/v1/bars/explain?instrument={{node}}&interval=5m&{_START}&{_FLAG}", good=(200, 404)
    ),
    "GET /v1/curves": Rule("curves:read", "reader", "/v1/curves?" + _FLAG),
    "GET /v1/curves/{curve:path}": Rule("curves:read", "reader", "/v1/curves/{ahead}?" + _FLAG),
    "GET /v1/curves/{curve:path}/snapshots": Rule("curves:read", "reader", "/v1/curves/{ahead}/snapshots?" + _FLAG),
    "GET /v1/curves/{curve:path}/snapshots/latest": Rule(
        "curves:read", "reader", "/v1/curves/{ahead}/snapshots/latest?" + _FLAG
    ),
    "GET /v1/curves/{curve:path}/explain": Rule(
        "curves:read", "reader", "/v1/curves/{ahead}/explain?session=2026-07-01&" + _FLAG, good=(200, 404)
    ),
    "POST /v1/ws-tickets": Rule("stream:read", "reader", "/v1/ws-tickets", tenanted=False, good=(201,)),
    "GET /v1/stream": Rule("stream:read", "reader", "/v1/stream?channel=prices", tenanted=False, good=(422,)),
    "GET /v1/changes": Rule(
        "stream:read", "reader", "/v1/changes?channel=ticks&instrument={node}&since=2026-07-01T00:00:00Z&" + _FLAG
    ),
    "GET /v1/spreads": Rule("curves:read", "reader", "/v1/spreads?" + _FLAG),
    "GET /v1/spreads/explain": Rule(
        "curves:read", "reader", f"/v1/spreads/explain?instrument=spread.basis.one&{_START}&{_FLAG}"
    ),
    "GET /v1/basis": Rule("curves:read", "reader", f"/v1/basis?instrument={{node}}&hub={{node}}B&{_START}&{_FLAG}"),
    "GET /v1/admin/reference/{table}": Rule("tenants:admin", "own-admin", "/v1/admin/reference/holidays?" + _FLAG),
    "PUT /v1/admin/reference/{table}": Rule(
        "tenants:admin", "own-admin", "/v1/admin/reference/holidays", tenanted=False,
        body="calendar,day,name,source\nnerc,2026-01-01,New Year,test\n",
    ),
    "GET /v1/admin/keys": Rule("keys:admin", "tenant-admin", "/v1/admin/keys?" + _FLAG),
    "POST /v1/admin/keys": Rule(
        "keys:admin", "tenant-admin", "/v1/admin/keys", body={"name": "n", "role": "viewer", "tenant": "{tenant}"},
        good=(201,),
    ),
    "GET /v1/admin/keys/{key_id}": Rule("keys:admin", "tenant-admin", "/v1/admin/keys/{key}"),
    "DELETE /v1/admin/keys/{key_id}": Rule("keys:admin", "tenant-admin", "/v1/admin/keys/{key}"),
    "POST /v1/admin/keys/{key_id}/rotate": Rule(
        "keys:admin", "tenant-admin", "/v1/admin/keys/{key}/rotate", good=(201,)
    ),
    "GET /v1/admin/tenants": Rule("tenants:admin", "tenant-admin", "/v1/admin/tenants?" + _FLAG),
    "POST /v1/admin/tenants": Rule(
        "tenants:admin", "operator-data", "/v1/admin/tenants", tenanted=False, body={"id": "fresh", "name": "n"},
        good=(201,),
    ),
    "GET /v1/admin/tenants/{tenant}": Rule("tenants:admin", "tenant-admin", "/v1/admin/tenants/{tenant}"),
    "PATCH /v1/admin/tenants/{tenant}": Rule(
        "tenants:admin", "operator", "/v1/admin/tenants/{tenant}", body={"history_days": 9}
    ),
    "POST /v1/admin/tenants/{tenant}/suspend": Rule("tenants:admin", "operator", "/v1/admin/tenants/{tenant}/suspend"),
    "POST /v1/admin/tenants/{tenant}/resume": Rule("tenants:admin", "operator", "/v1/admin/tenants/{tenant}/resume"),
    "GET /v1/admin/tenants/{tenant}/export": Rule(
        "tenants:admin", "tenant-admin", "/v1/admin/tenants/{tenant}/export"
    ),
    "DELETE /v1/admin/tenants/{tenant}": Rule(
        "tenants:admin", "operator", "/v1/admin/tenants/{tenant}?confirm={tenant}"
    ),
    "GET /v1/admin/dead-letters": Rule("dlq:write", "operator-data", "/v1/admin/dead-letters", tenanted=False),
    "GET /v1/admin/dead-letters/{letter:path}": Rule(
        "dlq:write", "operator-data", "/v1/admin/dead-letters/none", tenanted=False, good=(404,)
    ),
    "POST /v1/admin/dead-letters/replay": Rule(
        "dlq:write", "operator-data", "/v1/admin/dead-letters/replay", tenanted=False, body={"all": True}
    ),
    "GET /v1/admin/audit": Rule("audit:read", "tenant-admin", "/v1/admin/audit?" + _FLAG),
}  # fmt: skip


def admitted(rule: Rule, *, operator: bool, data: Data) -> int:
    """What a good key with the scope is answered: 0 for what the route answers, else the status."""
    if rule.who in {"open", "any-key"}:
        return 0
    if rule.who == "operator-data":
        return 0 if operator else 403
    if data == "other":
        return 0 if operator and rule.who in {"tenant-admin", "operator"} else 404
    return 0 if operator or rule.who != "operator" else 403
