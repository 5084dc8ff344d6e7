"""What the client asks for is what the API allows."""

import json
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Final

import httpx
import pytest

from gridtick.client import Client

OPENAPI: Final = Path(__file__).parents[2] / "openapi" / "openapi.json"
NAME: Final = "pjm.da_hourly.1"
LISTS: Final[dict[str, Callable[[Client], Iterable[object]]]] = {
    "instruments": lambda client: client.instruments(),
    "ticks": lambda client: client.ticks(NAME),
    "bars": lambda client: client.bars(NAME, interval="1h"),
    "curves": lambda client: client.curves.list(),
    "snapshots": lambda client: client.curves.over("henry_hub.futures"),
    "spreads": lambda client: client.spreads.list(),
    "basis": lambda client: client.spreads.basis(NAME, "pjm.da_hourly.2"),
    "keys": lambda client: client.keys.list(),
    "tenants": lambda client: client.tenants.list(),
}


def most_of(path: str) -> int:
    """The largest `limit` of the route that serves an address."""
    described: dict[str, Any] = json.loads(OPENAPI.read_text())["paths"]
    found = [each for template, each in described.items() if re.fullmatch(re.sub(r"\{\w+\}", ".+", template), path)]
    limits = {
        given["schema"]["maximum"] for each in found for given in each["get"]["parameters"] if given["name"] == "limit"
    }
    assert limits, path
    return min(limits)


@pytest.mark.parametrize("name", LISTS)
def test_a_list_asks_for_no_more_rows_than_an_answer_may_have(name: str) -> None:
    asked: list[httpx.URL] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url)
        return httpx.Response(200, json={"data": [], "next": None})

    key = "gt_live_abcdefghijkl_S3cretS3cretS3cretS3cretS3cret12_0a1b2c3d"
    assert list(LISTS[name](Client("http://api.test", key, transport=httpx.MockTransport(answer)))) == []
    (url,) = asked
    assert int(url.params["limit"]) <= most_of(url.path)
