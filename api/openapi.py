"""The OpenAPI document of the application: what is served, committed and compared."""

from pathlib import Path
from typing import Any, Final

import msgspec
from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel

from api import schemas

PATH: Final = Path(__file__).parent.parent / "openapi" / "openapi.json"
_OWN: Final[tuple[type[BaseModel], ...]] = (schemas.ProblemDocument, schemas.ProblemError)
_DEFAULTS: Final = ("HTTPValidationError", "ValidationError")  # what FastAPI would answer, were it not for us


def document(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI 3.1 document of the application."""
    made = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
    known: dict[str, Any] = made["components"]["schemas"]
    for name in _DEFAULTS:
        known.pop(name, None)
    for model in _OWN:
        schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
        schema.pop("$defs", None)
        known[model.__name__] = schema
    made["components"]["schemas"] = dict(sorted(known.items()))
    return made


def encoded(made: dict[str, Any]) -> bytes:
    """The document as it is served and committed."""
    return msgspec.json.format(msgspec.json.encode(made), indent=2) + b"\n"
