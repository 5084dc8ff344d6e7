"""Frames held against `/asyncapi.json`."""

from functools import cache
from typing import Any, Final

from jsonschema import Draft202012Validator, FormatChecker

from api.app import VERSION
from api.document import asyncapi

_SOME: Final = 20  # rows of a frame that are looked at
_DOCUMENT: Final = asyncapi.document(VERSION)


@cache
def _validator(message: str) -> Draft202012Validator:
    payload = _DOCUMENT["components"]["messages"][message]["payload"]
    whole = {**payload, "components": _DOCUMENT["components"]}
    return Draft202012Validator(whole, format_checker=FormatChecker())


def require(frame: dict[str, Any]) -> None:
    """Fails for a frame that is not as it is described. Numbers are floats here."""
    kind = frame["type"]
    name = f"{frame['channel']}.{kind}" if "data" in frame else kind
    if len(frame.get("data", ())) > _SOME:
        frame = {**frame, "data": frame["data"][:_SOME]}
    errors = [f"{error.json_path}: {error.message}" for error in _validator(name).iter_errors(frame)]
    assert not errors, f"{name}: {errors[:3]}"
