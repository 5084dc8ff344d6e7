"""`/asyncapi.json`: the live stream as AsyncAPI 3.0, made from the messages that are read and the frames sent."""

import json
import re
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final

import msgspec
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from api.live import asked
from api.schemas import frames

PATH: Final = Path(__file__).parent.parent.parent / "openapi" / "asyncapi.json"
_REF: Final = "#/components/schemas/{}"
_CLIENT: Final = {
    "auth": asked.Auth,
    "subscribe": asked.Subscribe,
    "unsubscribe": asked.Unsubscribe,
    "ping": asked.Ping,
}
Node = dict[str, Any]

_DESCRIPTION: Final = """Latest prices, bars, curves and ticks of Gridtick, as they land. After `welcome` a client
subscribes; each subscription begins with a snapshot and goes on with updates, each of which names the one before
(`prev_seq`), so that nothing can be missing unseen. What cannot be sent is told as a `gap`, with the address that has
it. The whole of it is in docs/stream.md. As Server-Sent Events (`GET /v1/stream`) it is one subscription, with the same
frames."""


def document(version: str) -> Node:
    """The document."""
    sent = {**{_named(each): each for each in frames.PLAIN}, **{_of(*key): model for key, model in frames.DATA.items()}}
    schemas = _schemas(sent)
    messages = {name: _message(name, schemas[model.__name__], model.__name__) for name, model in sent.items()}
    own = {name: _message(name, schemas[each.__name__], each.__name__) for name, each in _CLIENT.items()}
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Gridtick live", "version": version, "description": _DESCRIPTION,
            "license": {"name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"},
        },
        "defaultContentType": "application/json",
        "servers": {"local": {"host": "127.0.0.1:8080", "protocol": "ws", "security": _security()}},
        "channels": {"stream": _channel([*messages, *own])},
        "operations": {
            "tell": _operation("send", messages, "What the server sends."),
            "hear": _operation("receive", own, "What a client sends."),
        },
        "components": {
            "messages": {**messages, **own}, "schemas": schemas,
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer", "description": "`Authorization: Bearer gt_live_…`"},
                "header": {"type": "httpApiKey", "name": "X-API-Key", "in": "header"},
                "ticket": {"type": "httpApiKey", "name": "ticket", "in": "query"},
            },
        },
    }  # fmt: skip


def encoded(version: str) -> bytes:
    """The document as it is served and committed."""
    return (json.dumps(document(version), indent=1, ensure_ascii=False) + "\n").encode()


@cache
def served(version: str) -> bytes:
    """Made once, when first asked for."""
    return encoded(version)


def _of(channel: str, kind: str) -> str:
    return f"{channel}.{kind}"


def _named(model: type[BaseModel]) -> str:
    """Its type: `caught_up` of CaughtUp."""
    return re.sub(r"(?<=.)(?=[A-Z])", "_", model.__name__).lower()


def _schemas(sent: Mapping[str, type[BaseModel]]) -> Node:
    _, found = models_json_schema(
        [(each, "serialization") for each in sent.values()], ref_template=_REF.format("{model}")
    )
    _, own = msgspec.json.schema_components(_CLIENT.values(), ref_template=_REF.format("{name}"))
    return dict(sorted({**found["$defs"], **own}.items()))


def _message(name: str, schema: Node, of: str) -> Node:
    return {"name": name, "summary": schema.get("description", ""), "payload": {"$ref": _REF.format(of)}}


def _channel(names: Sequence[str]) -> Node:
    return {
        "address": "/v1/stream",
        "description": "A WebSocket; text frames of one JSON object each.",
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in names},
        "bindings": {
            "ws": {"method": "GET", "query": {"type": "object", "properties": {"ticket": {"type": "string"}}}}
        },
    }


def _operation(action: str, messages: Mapping[str, Node], summary: str) -> Node:
    every = [{"$ref": f"#/channels/stream/messages/{name}"} for name in messages]
    return {"action": action, "summary": summary, "channel": {"$ref": "#/channels/stream"}, "messages": every}


def _security() -> list[Node]:
    return [{"$ref": f"#/components/securitySchemes/{name}"} for name in ("bearer", "header", "ticket")]
