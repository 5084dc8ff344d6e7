"""Examples of every parameter and every field of the OpenAPI document, which work against the demo.

That of `operation.parameter` or `Schema.field` in `api.document.example_values`, else the field's own `examples`
(pydantic's `Field`), else that of the name alone. What has none is its default, its first choice, null where it may be
null, else 0, false or [].
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from api.document.example_values import VALUES

Node = dict[str, Any]

# Filled in where requests are tried, beside what a route needs: an instrument, and that a load is none.
_FILLED: Final = frozenset({"instrument", "load_reference_table.dry_run"})
OPAQUE: Final = frozenset({"cursor"})  # has no example: only an answer gives one


def add(document: Node) -> None:
    """Puts the examples into a document."""
    schemas = document["components"]["schemas"]
    for name, schema in schemas.items():
        for field, each in schema.get("properties", {}).items():
            if "$ref" not in each and not _is_composed(each):
                _give(name, field, each)
    for schema in schemas.values():
        schema["examples"] = [_composed(schema, schemas)]
    for operation, parameter in parameters(document):
        _add_parameter(operation, parameter)
    for answer in _answers(document):
        answer["example"] = _composed(answer["schema"], schemas)


def parameters(document: Node) -> Iterator[tuple[str, Node]]:
    """Every parameter with the id of its operation."""
    for methods in document["paths"].values():
        for each in methods.values():
            for parameter in each.get("parameters", ()):
                yield each["operationId"], parameter


def _answers(document: Node) -> Iterator[Node]:
    """What is answered as JSON of a schema; not every page that shows a document makes an example from its schema."""
    for methods in document["paths"].values():
        for response in (each for operation in methods.values() for each in operation["responses"].values()):
            for content in response.get("content", {}).values():
                if "$ref" in content.get("schema", {}):
                    yield content


def _add_parameter(operation: str, parameter: Node) -> None:
    name, schema = parameter["name"], parameter["schema"]
    if name in OPAQUE:
        return
    _give(operation, name, schema)
    if parameter.get("required") or not _FILLED.isdisjoint((name, f"{operation}.{name}")):
        parameter["example"] = schema["examples"][0]


def _give(owner: str, name: str, schema: Node) -> None:
    if f"{owner}.{name}" in VALUES or "examples" not in schema:
        schema["examples"] = [_leaf(owner, name, schema)]


def _leaf(owner: str, name: str, schema: Node) -> Any:
    """The example of a parameter or a field; "" where nothing gives one, which a test refuses."""
    if (own := f"{owner}.{name}") in VALUES:
        return VALUES[own]
    return VALUES[name] if name in VALUES and _fits(VALUES[name], schema) else _plain(schema)


def _fits(value: Any, schema: Node) -> bool:
    """Whether a field of this name and this type may have the value that others of its name have."""
    choices = _chosen(schema).get("enum")
    return value in choices if choices else any(isinstance(value, _OF[each]) for each in _types(schema) if each in _OF)


def _plain(schema: Node) -> Any:
    """What a schema without an example has."""
    if schema.get("default") is not None:
        return schema["default"]
    chosen, types = _chosen(schema), _types(schema)
    if "const" in chosen or "enum" in chosen:
        return chosen.get("const", chosen.get("enum", [None])[0])
    return None if "null" in types else _TIMES.get(schema.get("format"), _OF[types[0]]())


_TIMES: Final[Mapping[Any, str]] = {"date": "2026-07-01", "date-time": "2026-07-01T18:00:00Z"}
_OF: Final[Mapping[str, type[Any]]] = {
    "string": str, "integer": int, "number": float, "boolean": bool, "array": list, "object": dict,
}  # fmt: skip


def _types(schema: Node) -> list[str]:
    found = [each.get("type", "object") for each in schema.get("anyOf", [schema])]
    return [each for some in found for each in (some if isinstance(some, list) else [some])]


def _chosen(schema: Node) -> Node:
    """The alternative that is not null."""
    return next((each for each in schema.get("anyOf", ()) if each.get("type") != "null"), schema)


def _is_composed(schema: Node) -> bool:
    """Whether it holds objects that have a schema of their own."""
    return any("$ref" in each for each in (_chosen(schema), _chosen(schema).get("items", {})))


def _composed(schema: Node, schemas: Node) -> Any:
    """An example of an object, of those of its fields."""
    if "$ref" in schema:
        return _composed(schemas[schema["$ref"].rpartition("/")[2]], schemas)
    if "properties" in schema:
        return {name: _composed(each, schemas) for name, each in schema["properties"].items()}
    if "examples" in schema:
        return schema["examples"][0]
    if "enum" in schema:  # a choice that has a schema of its own
        return schema["enum"][0]
    chosen = _chosen(schema)
    return [_composed(chosen["items"], schemas)] if chosen.get("type") == "array" else _composed(chosen, schemas)
