"""The columns of rows, taken from their types: known also where there is no row."""

from collections.abc import Collection, Mapping
from decimal import Decimal
from types import NoneType, UnionType
from typing import Any, Literal, TypeAlias, cast, get_args, get_origin, get_type_hints

RowType: TypeAlias = type[Mapping[str, Any]]


def columns_of(row: RowType, also: Collection[str] = ()) -> dict[str, type]:
    """Each column in its order, and what it holds: str, int, bool, Decimal or list (of str). Of those that rows need
    not have, the ones in `also`."""
    left_out = cast("frozenset[str]", getattr(row, "__optional_keys__", frozenset())).difference(also)
    return {name: _held(hint) for name, hint in get_type_hints(row).items() if name not in left_out}


def is_number(held: type) -> bool:
    return held in (int, Decimal)


def _held(hint: Any) -> type:
    if get_origin(hint) is UnionType:
        (hint,) = (each for each in get_args(hint) if each is not NoneType)
    return str if get_origin(hint) is Literal else get_origin(hint) or hint
