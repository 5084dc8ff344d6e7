"""What every operation answers while one store is away, written down beside the program: one that is not here fails the
test. `docs/outages.md` says the same in words.
"""

from dataclasses import dataclass
from typing import Final, Literal

from api.reads.ports import Store

Answer = Literal["answers", "503", "stale"]
STORES: Final[tuple[Store, ...]] = ("clickhouse", "postgres", "redis")


@dataclass(frozen=True, slots=True)
class Row:
    """`path` is asked for with a key of `whose` tenant; None: a change, which is not tried here.

    `answers`: as ever; `503`: with `Retry-After`, or of `/readyz` with reasons; `stale`: the last answer, marked.
    """

    path: str | None
    clickhouse: Answer
    postgres: Answer
    redis: Answer = "answers"
    usual: int = 200
    whose: Literal["tenant", "operator"] = "tenant"

    def without(self, store: Store) -> Answer:
        of: dict[Store, Answer] = {"clickhouse": self.clickhouse, "postgres": self.postgres, "redis": self.redis}
        return of[store]


_START: Final = "start=2026-07-01T00:00:00Z"
_KNOWN: Final = "as_of=2026-07-02T00:00:00Z"

TABLE: Final[dict[str, Row]] = {
    "GET /healthz": Row("/healthz", "answers", "answers"),
    "GET /readyz": Row("/readyz", "503", "503"),
    "GET /metrics": Row("/metrics", "answers", "answers"),
    "GET /v1/status": Row("/v1/status", "stale", "stale"),
    "GET /asyncapi.json": Row("/asyncapi.json", "answers", "answers"),
    "GET /openapi.json": Row("/openapi.json", "answers", "answers"),
    "GET /": Row("/", "answers", "answers"),
    "GET /live/{version}/{name}": Row("/live/none/none", "answers", "answers", usual=404),
    "GET /docs": Row("/docs", "answers", "answers"),
    "GET /docs/reference": Row("/docs/reference", "answers", "answers"),
    "GET /docs/errors": Row("/docs/errors", "answers", "answers"),
    "GET /docs/errors/{kind}": Row("/docs/errors/store-away", "answers", "answers"),
    "GET /docs/assets/{name}": Row("/docs/assets/none", "answers", "answers", usual=404),
    "GET /v1/me": Row("/v1/me", "answers", "503"),
    "GET /v1/usage": Row("/v1/usage", "answers", "503"),
    "GET /v1/markets": Row("/v1/markets", "answers", "503"),
    "GET /v1/prices/latest": Row("/v1/prices/latest?instrument={gas}", "answers", "503"),
    "GET /v1/prices/latest, newest of a market": Row("/v1/prices/latest?market=caiso&mode=newest", "answers", "503"),
    "GET /v1/prices/latest, in force": Row("/v1/prices/latest?instrument={node}", "503", "503"),
    "GET /v1/prices/latest, as of": Row(f"/v1/prices/latest?instrument={{gas}}&{_KNOWN}", "503", "503"),
    "GET /v1/instruments": Row("/v1/instruments", "answers", "503"),
    "GET /v1/instruments/{instrument:path}": Row("/v1/instruments/{gas}", "503", "503"),
    "GET /v1/instruments/{instrument:path}/coverage": Row("/v1/instruments/{gas}/coverage", "503", "503"),
    "GET /v1/changes": Row("/v1/changes?channel=ticks&instrument={gas}&since=2026-07-01T00:00:00Z", "503", "503"),
    "GET /v1/stream": Row("/v1/stream?channel=prices&instrument={gas}&resume=x", "answers", "503", usual=422),
    "POST /v1/ws-tickets": Row(None, "answers", "503", "503"),
    "GET /v1/ticks": Row(f"/v1/ticks?instrument={{gas}}&{_START}", "503", "503"),
    "GET /v1/bars": Row(f"/v1/bars?instrument={{gas}}&interval=1h&{_START}", "503", "503"),
    "GET /v1/bars, as of": Row(f"/v1/bars?instrument={{gas}}&interval=1h&{_START}&{_KNOWN}", "503", "503"),
    "GET /v1/bars/explain": Row(
        "/v1/bars/explain?instrument={gas}&interval=1h&start=2026-07-01T12:00:00Z", "503", "503"
    ),
    "GET /v1/curves": Row("/v1/curves", "answers", "503"),
    "GET /v1/curves/{curve:path}": Row("/v1/curves/{node}", "answers", "503"),
    "GET /v1/curves/{curve:path}/snapshots": Row("/v1/curves/{node}/snapshots", "503", "503"),
    "GET /v1/curves/{curve:path}/snapshots/latest": Row("/v1/curves/{node}/snapshots/latest", "503", "503"),
    "GET /v1/curves/{curve:path}/explain": Row("/v1/curves/{node}/explain?session=2026-07-01", "503", "503", usual=404),
    "GET /v1/spreads": Row("/v1/spreads", "answers", "503"),
    "GET /v1/spreads/explain": Row(
        f"/v1/spreads/explain?instrument=spread.basis.none&{_START}", "answers", "503", usual=404
    ),
    "GET /v1/basis": Row(f"/v1/basis?instrument={{node}}&hub={{hub}}&{_START}", "503", "503"),
    "GET /v1/admin/reference/{table}": Row("/v1/admin/reference/holidays", "answers", "503"),
    "GET /v1/admin/keys": Row("/v1/admin/keys", "answers", "503"),
    "GET /v1/admin/keys/{key_id}": Row("/v1/admin/keys/{key}", "answers", "503"),
    "GET /v1/admin/tenants": Row("/v1/admin/tenants", "answers", "503"),
    "GET /v1/admin/tenants/{tenant}": Row("/v1/admin/tenants/{tenant}", "answers", "503"),
    "GET /v1/admin/tenants/{tenant}/export": Row("/v1/admin/tenants/{tenant}/export", "answers", "503"),
    "GET /v1/admin/dead-letters": Row("/v1/admin/dead-letters", "answers", "503", whose="operator"),
    "GET /v1/admin/dead-letters/{letter:path}": Row(
        "/v1/admin/dead-letters/none", "answers", "503", usual=404, whose="operator"
    ),
    "GET /v1/admin/audit": Row("/v1/admin/audit", "answers", "503"),
    "PUT /v1/admin/reference/{table}": Row(None, "503", "503"),
    "POST /v1/admin/keys": Row(None, "answers", "503"),
    "DELETE /v1/admin/keys/{key_id}": Row(None, "answers", "503"),
    "POST /v1/admin/keys/{key_id}/rotate": Row(None, "answers", "503"),
    "POST /v1/admin/tenants": Row(None, "answers", "503"),
    "PATCH /v1/admin/tenants/{tenant}": Row(None, "answers", "503"),
    "POST /v1/admin/tenants/{tenant}/suspend": Row(None, "answers", "503"),
    "POST /v1/admin/tenants/{tenant}/resume": Row(None, "answers", "503"),
    "DELETE /v1/admin/tenants/{tenant}": Row(None, "503", "503", "503"),
    "POST /v1/admin/dead-letters/replay": Row(None, "answers", "503"),
}
ASKED: Final = {name: row for name, row in TABLE.items() if row.path is not None}
