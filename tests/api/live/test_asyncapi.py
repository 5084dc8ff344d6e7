"""The description of the stream is committed as it is served, and holds for what is sent and read."""

from typing import Any

import httpx
import msgspec
import pytest
from jsonschema import Draft202012Validator

from api.app import VERSION
from api.document import asyncapi
from api.live import asked
from tests.api.live import described

DOCUMENT: Any = asyncapi.document(VERSION)


async def test_it_is_committed_as_it_is_served(http: httpx.AsyncClient) -> None:
    served = await http.get("/asyncapi.json", headers={"X-API-Key": ""})
    assert served.content == asyncapi.PATH.read_bytes(), "run python -m api.write_openapi"


def test_every_reference_leads_somewhere() -> None:
    def walk(node: Any) -> None:
        if isinstance(node, dict):
            if "$ref" in node:
                at: Any = DOCUMENT
                for name in node["$ref"].removeprefix("#/").split("/"):
                    at = at[name]
            for each in node.values():
                walk(each)
        elif isinstance(node, list):
            for each in node:
                walk(each)

    walk(DOCUMENT)


@pytest.mark.parametrize("name", ["auth", "subscribe", "unsubscribe", "ping"])
def test_what_a_client_may_send_is_read_as_it_is_described(name: str) -> None:
    schema = {**DOCUMENT["components"]["messages"][name]["payload"], "components": DOCUMENT["components"]}
    validator = Draft202012Validator(schema)
    given: dict[str, Any] = {
        "auth": {"key": "k"},
        "subscribe": {"id": 1, "channel": "bars", "filter": {"market": "caiso"}, "interval": "5m", "policy": "skip"},
        "unsubscribe": {"id": 3},
        "ping": {"id": None},
    }[name]
    message = {"op": name, **given}
    assert validator.is_valid(message)
    asked.read(msgspec.json.encode(message))
    for broken in ({**message, "more": 1}, {**message, "id": "1"}, {"op": name, "id": -1}):
        if name == "auth" and "more" not in broken:
            continue
        assert not validator.is_valid(broken), broken
        with pytest.raises(ValueError, match=r"Object|Expected"):
            asked.read(msgspec.json.encode(broken))


def test_a_frame_that_is_otherwise_is_found() -> None:
    fine = {"type": "caught_up", "id": 1, "channel": "bars", "seq": 4}
    described.require(fine)
    for broken in ({**fine, "seq": -1}, {**fine, "more": 1}, {"type": "caught_up", "id": 1, "channel": "bars"}):
        with pytest.raises(AssertionError, match="caught_up"):
            described.require(broken)
