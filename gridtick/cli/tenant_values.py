"""What the options of `gridtick tenants` set, read as the API reads the same change."""

from collections.abc import Mapping
from typing import Final

from pydantic import ValidationError

from api.admin.query import TenantChange
from pipeline.errors import DataProcessingError

_NO_LIMIT: Final = frozenset({"all", "default"})


def values(given: Mapping[str, str | None]) -> dict[str, object]:
    """Fields of a tenant by the texts of their options; None takes a limit away. Raises `DataProcessingError`."""
    found = {field: _value(field, text) for field, text in given.items() if text is not None}
    if not found:
        raise DataProcessingError("Say what changes, e.g. --markets caiso; `--help` lists what can.", "cli")
    try:
        return TenantChange.model_validate(found).values()
    except ValidationError as error:
        first = error.errors()[0]
        option = str(first["loc"][0]).replace("_", "-")
        what = str(first["msg"]).removeprefix("Value error, ")
        raise DataProcessingError(f"--{option} {first['input']}: {what}", "cli") from None


def _value(field: str, text: str) -> object:
    if field == "name":
        return text
    if text in _NO_LIMIT:
        return None
    if field in {"markets", "products"}:
        return sorted({each for each in text.split(",") if each})
    if not text.isdecimal():
        option = field.replace("_", "-")
        raise DataProcessingError(f"--{option} {text} is no number. Write digits, or `default`.", "cli")
    return int(text)
