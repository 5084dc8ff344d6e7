"""Every cell of the matrix is run, and none is a surprise."""

import json
from collections import Counter
from collections.abc import Iterator
from itertools import product
from typing import Final

import httpx
import pytest
from fastapi.routing import iter_route_contexts

from api.app import create_app
from api.security.denials import WINDOW_S
from api.security.scopes import ROLES as DECLARED
from api.security.scopes import SCOPES
from tests.api import fakes
from tests.api.matrix.policy import DATA, POLICY, ROLES, Data, Rule, admitted
from tests.api.matrix.world import STATES, State, World

Cell = tuple[str, str, Data, State]
_CALLERS: Final = ("acme", "public")
_REFUSED: Final = {401: "unauthorized", 404: "not-found"}


def operations() -> list[str]:
    """Every operation that is served, from the application itself."""
    app = create_app(fakes.state(fakes.FakeReads()))
    served = (
        f"{method} {route.path}"
        for route in iter_route_contexts(app.routes)
        for method in getattr(route.original_route, "methods", ())
    )
    return sorted(set(served) - {f"HEAD {each.partition(' ')[2]}" for each in POLICY})


def cells(rule: Rule) -> Iterator[Cell]:
    """Tenant and role of the caller, whose data, and the state of the key."""
    data = DATA if rule.tenanted else ("none",)
    return product(_CALLERS, ROLES, data, STATES)


def expected(rule: Rule, tenant: str, role: str, data: Data, state: State) -> int:
    """0: what the route answers; else the status of the refusal."""
    if rule.who == "open":
        return 0
    if state in {"expired", "revoked", "malformed", "absent"}:
        return 401
    if rule.scope and (rule.scope not in ROLES[role] or state == "wrong-scope"):
        return 403
    return admitted(rule, operator=tenant == "public", data=data)


def test_every_operation_has_a_rule_and_every_rule_an_operation() -> None:
    assert operations() == sorted(POLICY)


def test_roles_are_what_was_meant() -> None:
    assert {role: set(scopes) for role, scopes in DECLARED.items()} == ROLES
    assert set(SCOPES) == ROLES["admin"]


async def test_the_whole_matrix(capsys: pytest.CaptureFixture[str]) -> None:
    world, ticking, surprises, run = World(), fakes.Ticking(), list[str](), Counter[str]()
    quotas = fakes.QUOTAS._replace(key=10**7, tenant=10**7, rows=10**9)
    state = fakes.state(world, ticking, None, quotas)
    transport = httpx.ASGITransport(app=create_app(state), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        for operation, rule in POLICY.items():
            for cell in cells(rule):
                answer, wanted = await _asked(client, world, operation, cell), expected(rule, *cell)
                run[str(wanted or "answered")] += 1
                if not _as_meant(rule, answer, wanted):
                    surprises.append(f"{operation} {cell}: {answer.status_code}, not {wanted}: {answer.text[:200]}")
            await state.denials.write(every=True)
            ticking.now += WINDOW_S + 1
    denied = _denied(world)
    with capsys.disabled():
        counts = f"{run.total()} cells, {dict(run)}, {len(surprises)} surprises; denied: {dict(denied)}"
        print(f"\nauthorization matrix: {counts}")  # noqa: T201
    assert not surprises, "\n".join(surprises[:40])
    assert denied.total() - denied["tenant"] == run["401"] + run["403"], "each is in the audit record"
    assert denied["tenant"] > 100


async def _asked(client: httpx.AsyncClient, world: World, operation: str, cell: Cell) -> httpx.Response:
    tenant, role, data, key = cell
    rule = POLICY[operation]
    world.renew()
    headers = world.caller(tenant, role, key, rule.scope)
    path, more = world.request(rule, tenant, data)
    more["headers"] = more.get("headers", {}) | headers
    return await client.request(operation.split(maxsplit=1)[0], path, **more)


def _denied(world: World) -> Counter[str]:
    """How many were denied by reason, from the audit record."""
    denied = Counter[str]()
    for record in world.records:
        detail = json.loads(record.detail)
        denied[detail["reason"]] += detail["count"]
    return denied


def _as_meant(rule: Rule, answer: httpx.Response, wanted: int) -> bool:
    if not wanted:
        return answer.status_code in rule.good
    if answer.status_code != wanted:
        return False
    kind = answer.json()["type"].rpartition("/")[2]
    return kind == _REFUSED[wanted] if wanted in _REFUSED else kind in {"scope-missing", "operator-only"}
