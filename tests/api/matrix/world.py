"""Two tenants and the operator's, each with the same things, made anew for each request."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal

import polars as pl

from service import apikey
from tests.api import fakes
from tests.api.fake_access import tenant_row
from tests.api.matrix.policy import ROLES, Data, Rule

State = Literal["valid", "wrong-scope", "expired", "revoked", "malformed", "absent"]
STATES: Final[tuple[State, ...]] = ("valid", "wrong-scope", "expired", "revoked", "malformed", "absent")
TENANTS: Final = ("public", "acme", "rival")
_PAST: Final = datetime(2026, 1, 1, tzinfo=UTC)
_LEGS: Final = '[{{"instrument":"{0}","weight":"1"}},{{"instrument":"{0}B","weight":"-1"}}]'


def node(tenant: str) -> str:
    return f"caiso.rt_5min.{tenant.upper()}"


def ahead(tenant: str) -> str:
    return f"caiso.da_hourly.{tenant.upper()}"


class World(fakes.FakeReads):
    """The stores, and keys of every role and state for a caller."""

    def __init__(self) -> None:
        super().__init__()
        self.reference = [fakes.instrument(name) | {"tenant": each} for each in TENANTS for name in _names(each)]
        hour = timedelta(hours=1)
        self.stored = [fakes.tick(node(each), fakes.START, "1", each) for each in TENANTS]
        self.stored += [fakes.tick(ahead(each), fakes.START, "2", each, end=fakes.START + hour) for each in TENANTS]
        rows = [_spread(each) for each in TENANTS]
        self.tables["spreads"] = pl.DataFrame(rows, schema=self.tables["spreads"].schema)
        self._tables = dict(self.tables)

    def renew(self) -> None:
        """As at first, with a key of each tenant that may be read, rotated and revoked."""
        self.keys.clear()
        self.posts.clear()
        self.tables = dict(self._tables)
        self.tenants = {name: tenant_row(name) for name in TENANTS}
        self.owned = {each: _id(self.add_key(each)) for each in TENANTS}

    def caller(self, tenant: str, role: str, state: State, scope: str) -> dict[str, str]:
        """The headers of a caller whose key is in a state; `scope`: the one that the route needs."""
        if state == "absent":
            return {}
        more: dict[str, Any] = {
            "expired": {"expires_at": _PAST}, "revoked": {"revoked_at": _PAST},
            "wrong-scope": {"scopes": frozenset(ROLES[role] - {scope})},
        }.get(state, {})  # fmt: skip
        text = self.add_key(tenant, role, **more)
        return {"X-API-Key": text[:-1] + ("0" if text[-1] != "0" else "1") if state == "malformed" else text}

    def request(self, rule: Rule, tenant: str, data: Data) -> tuple[str, dict[str, Any]]:
        """The path and the body, asking for the data of the caller, of another tenant, or not saying whose."""
        whose = {"own": tenant, "other": "rival", "none": tenant}[data]
        words = {"tenant": whose, "key": self.owned[whose], "node": node(whose), "ahead": ahead(whose)}
        path = rule.path.format(**words)
        if data == "none":
            path = path.replace(f"?tenant={whose}", "").replace(f"&tenant={whose}", "")
        if rule.body is None:
            return path, {}
        if isinstance(rule.body, str):
            return path, {"content": rule.body, "headers": {"Content-Type": "text/csv"}}
        body = json.loads(json.dumps(rule.body).replace("{tenant}", whose))
        if data == "none" and isinstance(body, dict):
            body.pop("tenant", None)
        return path, {"json": body}


def _names(tenant: str) -> tuple[str, ...]:
    return node(tenant), node(tenant) + "B", ahead(tenant)


def _spread(tenant: str) -> dict[str, Any]:
    return {
        "tenant": tenant, "spread": "basis.one", "valid_from": None, "valid_to": None, "zone": "UTC", "unit": "USD/MWh",
        "formula": "a - b", "legs": _LEGS.format(node(tenant)), "source": "test",
    }  # fmt: skip


def _id(text: str) -> str:
    key = apikey.parse(text)
    assert key is not None
    return key.id
