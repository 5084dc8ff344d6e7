"""What Schemathesis is told beside the document: which key is the caller's own, and what no answer may hold.

Runs in the process of `st`; `FUZZ_TENANT`, `FUZZ_KEY_ID`, `FUZZ_HIDDEN` and `FUZZ_TALLY` say who calls, what is hidden
from them, and the file that takes a line `operation status` of every answer.
"""

import os
from pathlib import Path
from typing import Any, Final

import schemathesis
from schemathesis import Case, CheckContext, HookContext, Response

from pipeline.schema import PUBLIC
from tests.api.fuzz.seeing import faults

_TENANT: Final = os.environ["FUZZ_TENANT"]
_KEY: Final = os.environ["FUZZ_KEY_ID"]
_HIDDEN: Final = os.environ["FUZZ_HIDDEN"]
_TALLY: Final = Path(os.environ["FUZZ_TALLY"])
_ENDING: Final = frozenset({"revoke_key", "rotate_key"})


@schemathesis.hook
def before_call(context: HookContext, case: Case[Any], kwargs: dict[str, Any]) -> None:
    """The caller's own key goes on, and public keeps its limits: another one is named instead."""
    operation, path = _operation(case), case.path_parameters
    if operation in _ENDING and path.get("key_id") == _KEY:
        path["key_id"] = "another"
    if operation == "limit_tenant" and path.get("tenant") == PUBLIC:
        path["tenant"] = "another"


@schemathesis.hook
def after_call(context: HookContext, case: Case[Any], response: Response) -> None:
    with _TALLY.open("a") as tally:
        tally.write(f"{_operation(case)} {response.status_code}\n")


@schemathesis.check
def keeps_tenants_apart(ctx: CheckContext, response: Response, case: Case[Any]) -> None:
    """Nothing of a hidden tenant, and none of the operator's routes for anybody else."""
    text = response.content.decode(errors="replace")
    found = faults(_operation(case), response.status_code, text, hidden=_HIDDEN, operator=_TENANT == PUBLIC)
    assert not found, "; ".join(found)


def _operation(case: Case[Any]) -> str:
    return str(case.operation.definition.raw.get("operationId"))
