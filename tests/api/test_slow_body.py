"""A body that does not come."""

import asyncio

import pytest

from api.app import create_app
from api.wire import exchange
from tests.api import fakes


async def _put(reads: fakes.FakeReads, messages: list[dict[str, object]]) -> list[dict[str, object]]:
    """What the application sends to a caller who sends these parts of a body and then nothing."""
    sent: list[dict[str, object]] = []

    async def receive() -> dict[str, object]:
        if messages:
            return messages.pop(0)
        await asyncio.Event().wait()
        raise AssertionError

    async def send(message: dict[str, object]) -> None:
        sent.append(message)

    key = reads.add_key(role="admin")
    scope = {
        "type": "http", "method": "PUT", "path": "/v1/admin/reference/curves", "raw_path": b"", "query_string": b"",
        "headers": [(b"x-api-key", key.encode()), (b"content-type", b"text/csv")], "scheme": "http",
        "http_version": "1.1",
    }  # fmt: skip
    async with asyncio.timeout(10):
        await create_app(fakes.state(reads))(scope, receive, send)  # type: ignore[arg-type]
    return sent


async def test_a_body_that_stops_is_not_waited_for(reads: fakes.FakeReads, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exchange, "BODY_SECONDS", 0.05)
    begun: dict[str, object] = {"type": "http.request", "body": b"curve", "more_body": True}
    start, body = await _put(reads, [begun])
    assert start["status"] == 408
    assert b"body-too-slow" in bytes(body["body"])  # type: ignore[arg-type]
    assert reads.loaded == []


async def test_all_parts_together_have_that_time(reads: fakes.FakeReads, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exchange, "BODY_SECONDS", 0.05)
    start, _ = await _put(reads, [{"type": "http.request", "body": b"x", "more_body": True} for _ in range(3)])
    assert start["status"] == 408
