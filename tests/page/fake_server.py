"""The page itself, and small fakes of what it asks."""

from datetime import timedelta
from typing import Any, Final

from fastapi import FastAPI, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, WebSocketRoute

from api.document import docs, live
from tests.page.fake_stream import FakeStream
from tests.page.rows import CURVE, Row, bar, begun, now, text

KEY: Final = "gt_live_test_key"
ALL: Final = ["bars:read", "curves:read", "prices:read", "stream:read"]


class FakeServer:
    """What a test may change: rows, scopes, and what is broken."""

    def __init__(self) -> None:
        self.stream = FakeStream()
        self.scopes = ALL
        self.finest = "5m"
        self.bars: list[Row] = []
        self.curves: list[Row] = []
        self.changes: list[Row] = []
        self.latest: list[Row] = []
        self.asked: list[Request] = []
        self.app = FastAPI(openapi_url=None)
        self.app.include_router(live.router)
        self.app.include_router(docs.router)
        for path, answer in self._routes().items():
            self.app.router.routes.append(Route(path, answer, methods=["GET", "POST"]))
        self.app.router.routes.append(WebSocketRoute("/v1/stream", self.stream.serve))

    def _routes(self) -> dict[str, Any]:
        return {
            "/v1/me": self.me,
            "/v1/markets": self.markets,
            "/v1/instruments": self.instruments,
            "/v1/status": self.status,
            "/v1/ws-tickets": self.ticket,
            "/v1/bars": self.list_bars,
            "/v1/changes": self.list_changes,
            "/v1/prices/latest": self.list_latest,
            "/v1/curves": self.list_curves,
            "/v1/curves/{curve}/snapshots/latest": self.snapshot,
            "/v1/curves/{curve}/snapshots": self.snapshots,
        }

    async def me(self, request: Request) -> Response:
        if (refusal := self._refusal(request, None)) is not None:
            return refusal
        return JSONResponse({"key_id": "k", "name": "desk", "tenant": "acme", "role": "analyst", "scopes": self.scopes})

    async def markets(self, request: Request) -> Response:
        product = {"product": "rt_5min", "instruments": len(self.stream.newest["prices"]), "finest": self.finest}
        product |= {"interval": "5m", "forward": False, "day_zone": "America/Los_Angeles", "cadence_seconds": 300.0}
        ahead = product | {"product": "da_hourly", "finest": "1h", "forward": True, "cadence_seconds": None}
        market = {"market": "caiso", "zone": "America/Los_Angeles", "unit": "USD/MWh", "products": [ahead, product]}
        return self._refusal(request, "prices:read") or _listed([market])

    async def instruments(self, request: Request) -> Response:
        found = [{"instrument": name} for (name,) in self.stream.newest["prices"]]
        return self._refusal(request, "prices:read") or _listed(found)

    async def status(self, request: Request) -> Response:
        product = {"market": "caiso", "product": "rt_5min", "status": "live", "since": text(now())}
        return JSONResponse({
            "age_seconds": 0.1, "stale": False, "generated_at": text(now()), "state": "ok", "reasons": [],
            "intake": {"landed_until": text(now() - timedelta(seconds=2)), "behind_seconds": 2.0},
            "prices": {"live": 1, "late": 0, "stale": 0}, "products": [product],
        })  # fmt: skip

    async def ticket(self, request: Request) -> Response:
        if (refusal := self._refusal(request, "stream:read")) is not None:
            return refusal
        ticket = f"ticket-{len(self.asked)}"
        self.stream.tickets.add(ticket)
        return JSONResponse({"ticket": ticket, "expires_at": text(now() + timedelta(seconds=30))})

    async def list_bars(self, request: Request) -> Response:
        if (refusal := self._refusal(request, "bars:read")) is not None:
            return refusal
        names, interval = request.query_params.getlist("instrument"), request.query_params["interval"]
        if interval == "1m" and self.finest == "5m":
            return _problem(422, f"{names[0]} has no bars finer than 5m: ask for that, or fill=hold repeats.")
        start, end = request.query_params["start"], request.query_params.get("end", "9")
        meant = [row for row in self.bars if row["instrument"] in names and row["interval"] == interval]
        return _listed([row for row in meant if start <= row["start"] < end])

    async def list_changes(self, request: Request) -> Response:
        return self._refusal(request, "prices:read") or _listed(self.changes)

    async def list_latest(self, request: Request) -> Response:
        return self._refusal(request, "prices:read") or _listed(self.latest)

    async def list_curves(self, request: Request) -> Response:
        curve = {"curve": CURVE, "kind": "futures", "tenant": "public", "name": "Henry Hub", "unit": "USD/MMBtu"}
        every = [curve | {"zone": "America/New_York"}] if self.curves else []
        return self._refusal(request, "curves:read") or _listed(every)

    async def snapshot(self, request: Request) -> Response:
        if (refusal := self._refusal(request, "curves:read")) is not None:
            return refusal
        as_of = request.query_params.get("as_of", "9")
        known = [each for each in self.curves if each["known_at"] <= as_of]
        return JSONResponse(known[-1]) if known else _problem(404, "curve: it has no snapshot by then.")

    async def snapshots(self, request: Request) -> Response:
        if (refusal := self._refusal(request, "curves:read")) is not None:
            return refusal
        given = request.query_params
        known = [each for each in self.curves if each["known_at"] <= given.get("as_of", "9")]
        return _listed([each for each in known if given["start"] <= each["session"] < given["end"]])

    def _refusal(self, request: Request, scope: str | None) -> Response | None:
        self.asked.append(request)
        if request.headers.get("x-api-key") != KEY:
            return _problem(401, "This API key is malformed, unknown, expired or revoked.")
        if scope is not None and scope not in self.scopes:
            return _problem(403, f"This key lacks the scope {scope}.")
        return None


def history(instrument: str, prices: list[float]) -> list[Row]:
    """The bars before the present one, one of each price, each opening where the one before it closed."""
    befores = [prices[0], *prices[:-1]]
    starts = [begun(back=len(prices) - at) for at in range(len(prices))]
    return [bar(instrument, start, each) for start, each in zip(starts, zip(befores, prices, strict=True), strict=True)]


def _listed(rows: list[Row]) -> Response:
    return JSONResponse({"data": rows, "next": None, "query": {}})


def _problem(status: int, detail: str) -> Response:
    body = {"title": "No", "status": status, "detail": detail, "request_id": "r", "errors": []}
    return JSONResponse(body, status, media_type="application/problem+json")
