import asyncio
import socket
from collections.abc import Callable
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from pipeline.errors import DataProcessingError
from service.base import AsyncService
from service.exposition import Exposition, exposed
from service.settings import load


class Counting(AsyncService):
    name = "bridge"


def _get(port: int, path: str) -> tuple[int, str]:
    try:
        with urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
            return answer.status, answer.read().decode()
    except HTTPError as refused:
        return refused.code, refused.read().decode()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@pytest.mark.stack  # connects to itself
async def test_a_service_shows_its_metrics_and_its_health() -> None:
    service = Counting(load({}))
    service.metrics.count("bridge_messages", 3)
    shown = exposed(service, _free_port())
    assert shown is not None
    ask: Callable[[str], tuple[int, str]] = lambda path: _get(shown.port, path)  # noqa: E731
    try:
        status, text = await asyncio.to_thread(ask, "/metrics")
        assert (status, "gridtick_bridge_messages_total 3.0" in text) == (200, True)
        assert "http_requests" not in text
        assert (await asyncio.to_thread(ask, "/healthz"))[0] == 200
        service.stop()
        status, text = await asyncio.to_thread(ask, "/healthz")
        assert (status, "it stops" in text) == (503, True)
        assert (await asyncio.to_thread(ask, "/else"))[0] == 404
    finally:
        shown.close()


async def test_port_0_shows_nothing() -> None:
    assert exposed(Counting(load({})), 0) is None


def test_a_taken_port_is_a_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(DataProcessingError, match="DATA_PROC_METRICS"):
        Exposition("127.0.0.1", taken.getsockname()[1], bytes, tuple)
