import httpx
import pytest

from tests.api import fakes

BARS = f"/v1/bars?instrument={fakes.GAS}&interval=1h"
TICKS = f"/v1/ticks?instrument={fakes.GAS}"


def _check(answer: httpx.Response, status: int, kind: str) -> dict[str, object]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert set(body) == {"type", "title", "status", "detail", "request_id", "errors"}
    assert body["type"] == f"urn:gridtick:problem:{kind}"
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
        (f"{TICKS}&start=2026-07-02T00:00:00Z&end=2026-07-01T00:00:00Z", "start", "before end"),
        (f"{TICKS}&cursor=AAAA", "cursor", "does not belong"),
        (f"{TICKS}&price_type=float", "price_type", "number"),
        ("/v1/ticks", "instrument", "is needed"),
        (f"{BARS}&fill=hold", "fill", "no parameter"),
        (f"/v1/bars?instrument={fakes.GAS}", "interval", "is needed"),
        (f"/v1/bars?instrument={fakes.GAS}&interval=10s", "interval", "1m"),
        (f"/v1/bars?instrument={fakes.NODE}&interval=1m", "interval", "finer than 5m"),
        ("/v1/prices/latest", "instrument", "either"),
        (f"/v1/prices/latest?instrument={fakes.GAS}&market=caiso", "instrument", "either"),
        (f"/v1/prices/latest?instrument={fakes.GAS}&product=tick", "product", "needs a market"),
        ("/v1/me?verbose=1", "verbose", "no parameter"),
    ],
)
async def test_what_cannot_be_meant_is_422(http: httpx.AsyncClient, address: str, parameter: str, words: str) -> None:
    body = _check(await http.get(address), 422, "invalid-parameter")
    errors = body["errors"]
    assert isinstance(errors, list)
    assert any(each["parameter"] == parameter and words in each["detail"] for each in errors), errors


async def test_routes_that_are_not_there_are_404(http: httpx.AsyncClient) -> None:
    for address in ("/v1/nothing", "/", "/v1/ticks/"):
        _check(await http.get(address), 404, "not-found")


async def test_other_methods_are_405(http: httpx.AsyncClient) -> None:
    answer = await http.post(TICKS)
    _check(answer, 405, "method-not-allowed")
    assert answer.headers["allow"] == "GET"


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
