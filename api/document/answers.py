"""What an operation answers beside its model, read from its parameters: formats, estimates, and what may be refused."""

from typing import Any, Final

from api.formats.media import MEDIA, FormatName
from api.schemas.prices import problems

Node = dict[str, Any]
ESTIMATE: Final = {"$ref": "#/components/schemas/Estimate"}
_ANY: Final = (400,)  # what is no HTTP gets this far nowhere
_WITH_BODY: Final = (400, 408, 413)
_TEXTS: Final[frozenset[FormatName]] = frozenset({"ndjson", "csv"})


def add(operation: Node) -> None:
    """Adds them to an operation as FastAPI describes it."""
    more = problems(*(_WITH_BODY if "requestBody" in operation else _ANY))
    operation["responses"] |= {str(status): each for status, each in more.items()}
    if "format" in (given := _given(operation)) and "arrow" in str(given["format"]):
        _answer(operation).update(_formats())


def add_estimate(operation: Node) -> None:
    """Beside the model, of which the example is: with `dry_run` no rows are answered, but how many there are."""
    if "requestBody" in operation or "dry_run" not in _given(operation):
        return
    content = _answer(operation)["application/json"]
    content["schema"] = {"anyOf": [content["schema"], ESTIMATE]}


def _formats() -> Node:
    return {medium.types[0]: {"schema": _text(name)} for name, medium in MEDIA.items() if name != "json"}


def _text(name: FormatName) -> Node:
    return {"type": "string"} | ({} if name in _TEXTS else {"format": "binary"})


def _answer(operation: Node) -> Node:
    return operation["responses"]["200"]["content"]


def _given(operation: Node) -> Node:
    return {each["name"]: each["schema"] for each in operation.get("parameters", ())}
