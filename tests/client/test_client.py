"""The client against answers that a small program gives."""

import copy
import json
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal

import httpx
import pytest

from gridtick.client import (
    ApiError,
    Client,
    Forbidden,
    GridtickError,
    InvalidRequest,
    NotFound,
    Unauthorized,
    Unavailable,
    Unreachable,
)

KEY = "gt_live_abcdefghijkl_S3cretS3cretS3cretS3cretS3cret12_0a1b2c3d"


def _client(handler: Callable[[httpx.Request], httpx.Response]) -> Client:
    return Client("http://api.test", KEY, transport=httpx.MockTransport(handler))


def _pages(request: httpx.Request) -> httpx.Response:
    """Five rows, as many at once as asked; a cursor is the number of rows seen."""
    first, size = int(request.url.params.get("cursor", 0)), int(request.url.params["limit"])
    last = min(first + size, 5)
    rows = ",".join(f'{{"instrument":"A","price":{n}.100000001,"volume":{n}}}' for n in range(first, last))
    following = "null" if last == 5 else f'"{last}"'
    return httpx.Response(200, content=f'{{"data":[{rows}],"next":{following},"query":{{}}}}')


def test_pages_are_fetched_as_needed_and_decimals_are_exact(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gridtick.client.http.PAGE", 2)
    asked: list[str] = []

    def handler(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.params.get("cursor", ""))
        return _pages(request)

    rows = list(_client(handler).ticks("A"))
    assert [row["price"] for row in rows] == [Decimal(f"{n}.100000001") for n in range(5)]
    assert rows[3]["volume"] == 3
    assert isinstance(rows[3]["volume"], Decimal)
    assert asked == ["", "2", "4"]
    asked.clear()
    assert len(list(_client(handler).ticks("A", limit=3))) == 3
    assert asked == ["", "2"]


def test_parameters_and_key_are_sent() -> None:
    seen: list[httpx.Request] = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, json={"data": [], "next": None, "query": {}})

    start = datetime(2026, 7, 1, tzinfo=UTC)
    assert list(_client(handler).bars(["A", "B"], interval="1h", start=start, block="peak", limit=7)) == []
    (request,) = seen
    assert request.url.path == "/v1/bars"
    assert request.url.params.multi_items() == [
        ("instrument", "A"), ("instrument", "B"), ("start", "2026-07-01T00:00:00+00:00"), ("interval", "1h"),
        ("block", "peak"), ("limit", "7"),
    ]  # fmt: skip
    assert request.headers["authorization"] == f"Bearer {KEY}"
    assert KEY not in str(request.url)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (401, Unauthorized),
        (403, Forbidden),
        (404, NotFound),
        (422, InvalidRequest),
        (503, Unavailable),
        (500, ApiError),
    ],
)
def test_refusals_have_types_and_a_request_id(status: int, kind: type[ApiError]) -> None:
    problem = {"type": "/docs/errors/x", "detail": "No.", "request_id": "r-1", "errors": [{"parameter": "p"}]}
    client = _client(lambda _: httpx.Response(status, json=problem, headers={"Retry-After": "5"}))
    with pytest.raises(kind, match=r"No\. \(request r-1\)") as caught:
        client.me()
    assert type(caught.value) is kind
    assert (caught.value.request_id, caught.value.kind, caught.value.retry_after) == ("r-1", "x", 5.0)
    assert caught.value.errors == [{"parameter": "p"}]


def test_an_answer_that_is_no_problem_document_is_still_an_error() -> None:
    with pytest.raises(ApiError, match="Bad Gateway"):
        _client(lambda _: httpx.Response(502, content=b"<html>")).me()


def test_nothing_there_is_one_error() -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused", request=request)

    with pytest.raises(Unreachable, match=r"http://api\.test does not answer"):
        _client(handler).me()


def test_address_and_key_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRIDTICK_URL", "http://elsewhere/")
    monkeypatch.setenv("GRIDTICK_API_KEY", KEY)
    assert Client().url == "http://elsewhere"
    monkeypatch.delenv("GRIDTICK_API_KEY")
    with pytest.raises(GridtickError, match="GRIDTICK_API_KEY"):
        Client()


def test_the_secret_is_not_in_the_repr() -> None:
    assert "abcdefghijkl" in repr(_client(_pages))
    assert "S3cret" not in repr(_client(_pages))
    assert "mysecret" not in repr(Client("http://x", "mysecret"))


def test_me_is_what_was_answered() -> None:
    body = {"key_id": "k", "name": "n", "tenant": "t", "readable_tenants": ["t"], "role": "viewer", "scopes": []}
    client = _client(lambda _: httpx.Response(200, content=json.dumps(body)))
    assert client.me()["tenant"] == "t"


@pytest.mark.parametrize(
    "url", ["http://[::1", "http://x:99999", "ftp://x", "127.0.0.1:8080", "http://", "http://a\nb"]
)
def test_a_wrong_address_is_refused_with_the_fix(url: str) -> None:
    with pytest.raises(GridtickError, match=r"is no address.*http://127\.0\.0\.1:8080"):
        Client(url, KEY)


@pytest.mark.parametrize("key", [KEY + "\n", "gt_live_\u00e9", f" {KEY}", "\udc80", "a\tb"])
def test_a_key_that_no_header_can_hold_is_refused_without_showing_it(key: str) -> None:
    with pytest.raises(GridtickError, match="key") as caught:
        Client("http://x", key)
    assert key not in str(caught.value)


@pytest.mark.parametrize(
    "content",
    [b"<html>", b"[]", b'"text"', b"\xff", b"[" * 100_000, b"{}", b'{"data":1,"next":null}',
     b'{"data":[1],"next":null}', b'{"data":[],"next":5}'],
)  # fmt: skip
def test_an_answer_that_is_no_list_of_ours_is_an_error_of_the_client(content: bytes) -> None:
    client = _client(lambda _: httpx.Response(200, content=content))
    with pytest.raises(GridtickError, match=r"http://api\.test .* address of Gridtick"):
        list(client.ticks("A"))


@pytest.mark.parametrize("content", [b"[]", b"5", b'{"errors":5,"type":null}', b"\xff"])
def test_a_refusal_of_any_shape_is_an_api_error(content: bytes) -> None:
    client = _client(lambda _: httpx.Response(500, content=content, headers={b"Retry-After": b"\xb2"}))
    with pytest.raises(ApiError) as caught:
        client.me()
    assert (caught.value.errors, caught.value.retry_after) == ([], None)


@pytest.mark.parametrize("name", ["\ud800", "A" * 100_000])
def test_what_cannot_be_asked_is_an_error_of_the_client(name: str) -> None:
    with pytest.raises(GridtickError, match="cannot be sent"):
        list(_client(_pages).ticks(name))


def test_a_closed_client_says_so() -> None:
    client = _client(_pages)
    client.close()
    with pytest.raises(GridtickError, match="closed"):
        client.me()


def test_a_refusal_can_be_handed_to_another_process() -> None:
    """Pools send errors the way `copy` copies them."""
    made = NotFound(
        404, {"type": "urn:x:gone", "detail": "No.", "request_id": "r", "errors": [{"parameter": "p"}]}, 2.5
    )
    again = copy.copy(made)
    assert type(again) is NotFound
    assert (str(again), vars(again)) == (str(made), vars(made))


def test_what_was_known_is_asked_for_and_whether_it_can_change(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gridtick.client.http.PAGE", 1)
    asked: list[httpx.QueryParams] = []

    def handler(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.params)
        page = len(asked)
        body = {"data": [{"price": page}], "next": str(page) if page < 3 else None, "complete": page != 2, "query": {}}
        return httpx.Response(200, json=body)

    at = datetime(2026, 7, 1, tzinfo=UTC)
    rows = _client(handler).ticks("A", as_of=at, revisions=True)
    assert rows.complete is None
    seen = [(row["price"], rows.complete) for row in rows]
    assert seen == [(1, True), (2, False), (3, False)]
    assert {(params["as_of"], params["revisions"]) for params in asked} == {("2026-07-01T00:00:00+00:00", "true")}
    asked.clear()
    assert _client(handler).bars("A", interval="1h", as_of=at).complete is None
    assert [*_client(handler).latest("A", as_of="2026-07-01T00:00:00Z", limit=1)] == [{"price": 1}]
    assert asked[0]["as_of"] == "2026-07-01T00:00:00Z"


def test_without_an_instant_nothing_is_known_of_that() -> None:
    rows = _client(_pages).ticks("A")
    assert len(list(rows)) == 5
    assert rows.complete is None
