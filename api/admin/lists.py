"""Lists of keys and of tenants: their rows are plain values, and no frames."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from fastapi import Request
from starlette.responses import Response

from api import answers
from api.query import Listed
from api.security.principal import Principal


def listed(
    request: Request, caller: Principal, ask: Listed, found: Sequence[Mapping[str, Any]], order: Sequence[str]
) -> Response:
    """The response of a list. `found`: one row more than is shown, where there are more; `order`: the fields that the
    next page goes on from."""
    rows = found[: ask.limit]
    following = [rows[-1][name] for name in order] if len(found) > ask.limit else None
    answers.count_rows(request, len(rows))
    text = b",".join(map(msgspec.json.encode, rows))
    return answers.around(request, caller, ask, answers.asked(ask), following).response(text)
