"""Every place of a request that takes a text: parameters of address and header, fields of bodies."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal
from urllib.parse import quote

from api.document.examples import Node
from tests.api.fuzz.strings import raw

Kind = Literal["query", "name", "path", "header", "body"]
# What every request may carry, beside what the document names.
_HEADERS: Final = ("Accept", "X-Request-ID", "User-Agent", "Origin", "If-None-Match", "Accept-Encoding", "X-API-Key")
_ANY_OF: Final = "list_ticks"  # the operation that gets them
_START: Final = "2026-07-01T00:00:00Z"
_RANGED: Final = frozenset({"list_ticks", "list_bars", "list_basis"})
_CSV: Final = "rule,priority,market,commodity,region,tier,source\n{},1,caiso,power,US-CA,real_time,{}\n"


@dataclass(frozen=True, slots=True)
class Call:
    """A good request of an operation; administrative ones change nothing but the tenant that is thrown away."""

    operation: str
    method: str
    path: str
    parts: Mapping[str, str]
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: Any = None

    def written(self, key: str) -> bytes:
        """The whole request as it is sent."""
        address = self.path
        for name, value in self.parts.items():
            address = address.replace(f"{{{name}}}", quote(raw(value), safe=""))
        query = "&".join(
            f"{quote(raw(name), safe='')}={quote(raw(value), safe='')}" for name, value in self.query.items()
        )
        content = b"" if self.body is None else self._content()
        given = {"Host": "fuzz", "Authorization": f"Bearer {key}", **self.headers, "Content-Length": str(len(content))}
        lines = b"".join(name.encode() + b": " + _line(value) + b"\r\n" for name, value in given.items())
        return f"{self.method} {address}{'?' if query else ''}{query} HTTP/1.1\r\n".encode() + lines + b"\r\n" + content

    def _content(self) -> bytes:
        return raw(self.body) if isinstance(self.body, str) else json.dumps(self.body).encode()


def _line(value: str) -> bytes:
    """What a header can hold: an end of line would begin another header, which is another request and not this one."""
    return raw(value).replace(b"\r", b"").replace(b"\n", b"").replace(b"\x00", b"")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a text is put into a good request."""

    call: Call
    kind: Kind
    name: str

    def filled(self, text: str) -> Call:
        one = self.call
        parts, query, headers, body = dict(one.parts), dict(one.query), dict(one.headers), one.body
        match self.kind:
            case "path":
                parts[self.name] = text
            case "query":
                query[self.name] = text
            case "name":
                query[text] = "1"
            case "header":
                headers[self.name] = text
            case "body":
                body = _with(body, self.name, text)
        return Call(one.operation, one.method, one.path, parts, query, headers, body)


def _with(body: Any, name: str, text: str) -> Any:
    if isinstance(body, str):
        return {"all": text, "cell": _CSV.format(text, "mine"), "last": _CSV.format("caiso", text)}[name]
    value = [text] if isinstance(body.get(name), list) else text
    return {**body, name: value}


def places(document: Node, own: Mapping[str, str]) -> list[Place]:
    """All of them. `own` are the names of what may be changed: `tenant`, `key_id`."""
    every = [
        (call, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        for call in (_call(document, path, method, operation, own),)
    ]
    return [place for call, operation in every for place in _of(call, operation)]


def calls(every: Sequence[Place]) -> list[Call]:
    """The good requests themselves, one an operation."""
    return list({place.call.operation: place.call for place in every}.values())


def _of(call: Call, operation: Node) -> Iterator[Place]:
    for each in operation.get("parameters", ()):
        yield Place(call, each["in"], each["name"])
    if call.operation == _ANY_OF:
        yield Place(call, "name", "")
        yield from (Place(call, "header", name) for name in _HEADERS)
    if isinstance(call.body, str):
        yield from (Place(call, "body", name) for name in ("all", "cell", "last"))
    elif call.body is not None:
        yield from (Place(call, "body", name) for name in call.body)


def _call(document: Node, path: str, method: str, operation: Node, own: Mapping[str, str]) -> Call:
    name = operation["operationId"]
    given = {each["name"]: each for each in operation.get("parameters", ())}
    parts = {each: own.get(each, str(one.get("example"))) for each, one in given.items() if one["in"] == "path"}
    query = {each: str(one["example"]) for each, one in given.items() if one["in"] == "query" and one.get("required")}
    query |= {each: one[0] for each, one in _lists(operation)} | _beside(name)
    return Call(name, method.upper(), path, parts, query, *_sent(document, operation, own))


def _lists(operation: Node) -> Iterator[tuple[str, list[str]]]:
    for each in operation.get("parameters", ()):
        if each["schema"].get("type") == "array":
            yield each["name"], each["schema"]["examples"][0]


def _beside(operation: str) -> dict[str, str]:
    if operation in _RANGED:
        return {"start": _START}
    return {"load_reference_table": {"dry_run": "true"}, "erase_tenant": {"confirm": "not-it"}}.get(operation, {})


def _sent(document: Node, operation: Node, own: Mapping[str, str]) -> tuple[dict[str, str], Any]:
    """Headers and body."""
    content = operation.get("requestBody", {}).get("content", {})
    if "text/csv" in content:
        return {"Content-Type": "text/csv"}, _CSV.format("caiso", "mine")
    if not content:
        return {}, None
    schema = content["application/json"]["schema"]["$ref"].rpartition("/")[2]
    shown = dict(document["components"]["schemas"][schema]["examples"][0])
    owned = {
        "tenant": own["tenant"],
        "id": own["tenant"],
        "dry_run": True,
        "cause": "0000",
        "letters": [],
        "all": False,
    }
    body = shown | {each: value for each, value in owned.items() if each in shown}
    return {"Content-Type": "application/json"}, body
