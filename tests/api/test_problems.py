import httpx
import pytest
from starlette.requests import Request

from api.problems import Problem
from api.query import once
from tests.api import fakes

BARS = f"/v1/bars?instrument={fakes.GAS}&interval=1h"
TICKS = f"/v1/ticks?instrument={fakes.GAS}"


def _check(answer: httpx.Response, status: int, kind: str) -> dict[str, object]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert set(body) == {"type", "title", "status", "detail", "request_id", "errors"}
    assert body["type"] == f"/docs/errors/{kind}"
    assert body["request_id"] == answer.headers["x-request-id"]
    return body


@pytest.mark.parametrize(
    ("address", "parameter", "words"),
    [
        (f"{TICKS}&colour=red", "colour", "no parameter"),
        (f"{TICKS}&limit=0", "limit", "greater than or equal to 1"),
        (f"{TICKS}&limit=10001", "limit", "less than or equal to 10000"),
        (f"{TICKS}&limit=5&limit=6", "limit", "more than once"),
        (f"{TICKS}&start=2026-07-01T00:00:00", "start", "no offset"),
        (f"{TICKS}&start=2026-07-01", "start", "no offset"),
        (f"{TICKS}&start=1750000000", "start", "no instant"),
        (f"{TICKS}&start=2026-07-01T00:00:00 02:00", "start", "%2B"),
        (f"{TICKS}&start=1200-01-01T00:00:00Z", "start", "outside"),
        (f"{TICKS}&start=0001-01-01T00:00:00%2B10:00", "start", "outside"),
        (f"{TICKS}&start=2026-W27-3T00:00:00Z", "start", "no instant"),
        (f"{TICKS}&start=2026-07-01_00:00:00Z", "start", "no instant"),
        (f"{TICKS}&start=20260701T000000Z", "start", "no instant"),
        (f"{TICKS}&start=2026-07-01T00Z", "start", "no instant"),
        (f"{TICKS}&start=2026-07-01T24:00:00Z", "start", "no instant"),
        (f"{TICKS}&start=2026-07-01T00:00:00%2B0200", "start", "no instant"),
        (f"{TICKS}&start=2026-07-01T00:00:00,5Z", "start", "no instant"),
        (f"{TICKS}&start=%D9%A2026-07-01T00:00:00Z", "start", "no instant"),
        (f"{TICKS}&start=2026-07-01T00:00:00.1234567Z", "start", "more than 6 decimals"),
        (f"{TICKS}&start=1989-12-29T23:59:59Z", "start", "outside"),
        (f"{TICKS}&end=2100-01-01T00:00:00.000001Z", "end", "outside"),
        (f"{TICKS}&start=2026-07-02T00:00:00Z&end=2026-07-01T00:00:00Z", "start", "before end"),
        (f"{TICKS}&limit=5.0", "limit", "digits"),
        (f"{TICKS}&limit=1_000", "limit", "digits"),
        (f"{TICKS}&limit=%205", "limit", "digits"),
        (f"{TICKS}&limit=%2B5", "limit", "digits"),
        (f"{TICKS}&limit=%D9%A5", "limit", "digits"),
        (f"{TICKS}&cursor=AAAA", "cursor", "does not belong"),
        (f"{TICKS}&price_type=float", "price_type", "number"),
        ("/v1/ticks", "instrument", "is needed"),
        (f"{BARS}&gaps=hold", "gaps", "no parameter"),
        (f"/v1/bars?instrument={fakes.GAS}", "interval", "is needed"),
        (f"/v1/bars?instrument={fakes.GAS}&interval=10s", "interval", "1m"),
        (f"/v1/bars?instrument={fakes.NODE}&interval=1m", "interval", "finer than 5m"),
        ("/v1/prices/latest", "instrument", "either"),
        (f"/v1/prices/latest?instrument={fakes.GAS}&market=caiso", "instrument", "either"),
        (f"/v1/prices/latest?instrument={fakes.GAS}&product=tick", "product", "needs a market"),
        ("/v1/prices/latest?market=MISO", "market", "lower case, e.g. miso"),
        ("/v1/prices/latest?market=miso&product=RT_5min", "product", "lower case, e.g. rt_5min"),
        ("/v1/instruments?market=", "market", "no market name"),
        ("/v1/instruments?product=no-such", "product", "no product name"),
        ("/v1/me?verbose=1", "verbose", "no parameter"),
    ],
)
async def test_what_cannot_be_meant_is_422(http: httpx.AsyncClient, address: str, parameter: str, words: str) -> None:
    body = _check(await http.get(address), 422, "invalid-parameter")
    errors = body["errors"]
    assert isinstance(errors, list)
    assert any(each["parameter"] == parameter and words in each["detail"] for each in errors), errors


LISTS = ("/v1/instruments?", "/v1/prices/latest?", "/v1/ticks?", "/v1/bars?interval=1h&")
TEXTS = (
    "instrument",
    "market",
    "product",
    "location",
    "q",
    "tenant",
    "cursor",
    "start",
    "limit",
    "interval",
    "made_up",
)


@pytest.mark.parametrize("text", ["a%00b", "%ff", "%ED%A0%80", "%c3"])
async def test_what_is_no_text_is_422_in_every_parameter(http: httpx.AsyncClient, text: str) -> None:
    for address in LISTS:
        for name in TEXTS:
            _check(await http.get(f"{address}{name}={text}"), 422, "invalid-parameter")


@pytest.mark.parametrize("sent", [b"q=\xff", b"q=\xc3\xa4", b"q=%ff", b"%ff=1"])
def test_an_address_is_read_as_it_was_meant_or_refused(sent: bytes) -> None:
    with pytest.raises(Problem, match="UTF-8"):
        once(Request({"type": "http", "query_string": sent}))
    once(Request({"type": "http", "query_string": b"q=%C3%A4+%EF%BF%BD"}))


async def test_a_nul_is_named(http: httpx.AsyncClient) -> None:
    for name in ("location", "q", "tenant"):
        (error,) = (await http.get(f"/v1/instruments?{name}=a%00")).json()["errors"]
        assert (error["parameter"], "NUL" in error["detail"]) == (name, True)


async def test_a_market_that_is_not_there_is_an_empty_list(http: httpx.AsyncClient) -> None:
    for address in ("/v1/instruments?market=atlantis", "/v1/prices/latest?market=atlantis&product=tick"):
        answer = await http.get(address)
        assert (answer.status_code, answer.json()["data"]) == (200, [])


async def test_routes_that_are_not_there_are_404(http: httpx.AsyncClient) -> None:
    for address in ("/v1/nothing", "/nothing", "/v1/ticks/"):
        _check(await http.get(address), 404, "not-found")


async def test_other_methods_are_405(http: httpx.AsyncClient) -> None:
    answer = await http.post(TICKS)
    _check(answer, 405, "method-not-allowed")
    assert answer.headers["allow"] == "GET, HEAD"
    assert "GET, HEAD" in answer.json()["detail"]


@pytest.mark.parametrize(
    "address", ["/healthz", "/metrics", "/docs", "/openapi.json", "/v1/me", f"{TICKS}&limit=0", "/v1/nothing"]
)
async def test_head_is_get_without_its_body(http: httpx.AsyncClient, address: str) -> None:
    get, head = await http.get(address), await http.head(address)
    assert (head.status_code, head.content) == (get.status_code, b"")
    left = {"x-request-id", "ratelimit"} if address != "/metrics" else {"x-request-id", "content-length", "ratelimit"}
    assert {n: v for n, v in head.headers.items() if n not in left} == {
        n: v for n, v in get.headers.items() if n not in left
    }
    assert int(head.headers["content-length"]) > 0


async def test_head_is_counted_as_head(http: httpx.AsyncClient) -> None:
    await http.head("/healthz")
    assert 'method="HEAD",route="/healthz",status="200"} 1.0' in (await http.get("/metrics")).text


async def test_other_tenants_data_is_404_like_what_is_not_there(http: httpx.AsyncClient) -> None:
    there = await http.get("/v1/ticks", params={"instrument": fakes.SECRET_NODE})
    absent = await http.get("/v1/ticks", params={"instrument": "caiso.rt_5min.NOWHERE"})
    _check(there, 404, "not-found")
    assert there.json()["detail"].replace("SECRET", "NOWHERE") == absent.json()["detail"]
    _check(await http.get("/v1/instruments?tenant=other"), 404, "not-found")


async def test_a_store_that_is_away_is_503_with_a_time(reads: fakes.FakeReads, http: httpx.AsyncClient) -> None:
    await http.get("/v1/me")
    reads.gone = {"clickhouse": "refused"}
    answer = await http.get(TICKS)
    _check(answer, 503, "store-away")
    assert int(answer.headers["retry-after"]) > 0
    ready = await http.get("/readyz")
    assert (ready.status_code, ready.json()["reasons"]) == (503, ["clickhouse does not answer: refused"])
    assert (await http.get("/healthz")).status_code == 200


async def test_without_redis_it_is_degraded_but_ready(reads: fakes.FakeReads, http: httpx.AsyncClient) -> None:
    reads.gone = {"redis": "refused"}
    ready = await http.get("/readyz")
    assert (ready.status_code, ready.json()["status"]) == (200, "degraded")


async def test_a_lane_that_is_stopped_is_told_with_the_way_on(reads: fakes.FakeReads, http: httpx.AsyncClient) -> None:
    reads.stops = ["The bridge of the lane live is stopped. `gridtick bridge resume`"]
    ready = await http.get("/readyz")
    used = {"version": 1, "age_seconds": 0.25, "reason": None}
    assert ready.status_code == 200
    assert ready.json() == {"status": "degraded", "reasons": reads.stops, "reference": used}


async def test_a_bug_is_500_without_its_words(
    reads: fakes.FakeReads, http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: object) -> None:
        raise RuntimeError("internal words")

    monkeypatch.setattr(reads, "ticks", broken)
    answer = await http.get(TICKS, headers={"X-Request-ID": "my-request-1"})
    assert _check(answer, 500, "internal")["request_id"] == "my-request-1"
    assert "internal words" not in answer.text


async def test_a_large_body_is_413(http: httpx.AsyncClient) -> None:
    _check(await http.request("GET", TICKS, content=b"x" * 70_000), 413, "too-large")


async def test_answers_carry_security_headers_and_an_id(http: httpx.AsyncClient) -> None:
    for address in ("/healthz", TICKS, "/v1/nothing", "/docs"):
        headers = (await http.get(address)).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert "default-src 'none'" in headers["content-security-policy"]
        assert len(headers["x-request-id"]) == 32


async def test_requests_are_counted_by_route_never_by_path(http: httpx.AsyncClient) -> None:
    await http.get(TICKS)
    await http.get("/v1/made-up-name")
    text = (await http.get("/metrics")).text
    assert 'gridtick_http_requests_total{method="GET",route="/v1/ticks",status="200"} 1.0' in text
    assert 'route="none",status="404"' in text
    assert "made-up-name" not in text
