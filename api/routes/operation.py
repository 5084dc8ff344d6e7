"""What operators and their tools ask: alive, ready, metrics."""

import asyncio
from typing import Final

import msgspec
from fastapi import APIRouter, Request
from starlette.responses import Response

from api.schemas import operation as schemas_operation
from api.state import state_of
from service.metrics import CONTENT_TYPE

router: Final = APIRouter(tags=["operation"])
# Latest prices come from ClickHouse while Redis is away; without one of the others nothing can be answered.
_NEEDED: Final = frozenset({"clickhouse", "postgres"})


@router.get("/healthz", response_model=None, responses={200: {"model": schemas_operation.Alive}})
async def show_health() -> Response:
    """The process runs."""
    return Response(b'{"status":"alive"}', media_type="application/json")


@router.get(
    "/readyz",
    response_model=None,
    responses={
        200: {"model": schemas_operation.Readiness},
        503: {"model": schemas_operation.Readiness, "description": "with reasons"},
    },
)
async def show_readiness(request: Request) -> Response:
    """Whether requests can be answered, else why not."""
    reads = state_of(request).reads
    # A lane that is stopped makes prices old, and no request fail.
    away, stopped, reference = await asyncio.gather(reads.away(), reads.stopped(), reads.reference_state())
    unavailable = any(store in _NEEDED for store in away)
    status = "unavailable" if unavailable else "degraded" if away or stopped or reference.reason else "ready"
    reasons = [*(f"{store} does not answer: {why}" for store, why in away.items()), *stopped]
    reasons += [reference.reason] if reference.reason else []
    used = {"version": reference.version, "age_seconds": reference.age_s, "reason": reference.reason}
    body = msgspec.json.encode({"status": status, "reasons": reasons, "reference": used})
    return Response(body, 503 if unavailable else 200, media_type="application/json")


@router.get(
    "/metrics",
    response_model=None,
    responses={200: {"content": {"text/plain": {}}, "description": "Prometheus text"}},
)
async def show_metrics(request: Request) -> Response:
    """The metrics of this process."""
    return Response(state_of(request).metrics.exposition(), headers={"Content-Type": CONTENT_TYPE})
