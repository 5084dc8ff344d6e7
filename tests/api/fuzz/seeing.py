"""What an answer to a made-up request may not show."""

import json
from collections.abc import Iterator
from typing import Any, Final

from pipeline.schema import PUBLIC

# Routes that change or show what belongs to no one tenant: for the operator's keys alone.
OPERATORS: Final = frozenset({
    "create_tenant", "limit_tenant", "suspend_tenant", "resume_tenant", "erase_tenant", "list_dead_letters",
    "show_dead_letter", "replay_dead_letters",
})  # fmt: skip
# Routes whose rows are a tenant's own: of the public one a customer sees nothing here.
OWN: Final = frozenset({
    "list_keys", "show_key", "create_key", "revoke_key", "rotate_key", "list_tenants", "show_tenant", "export_tenant",
    "list_audit_records",
})  # fmt: skip


def faults(operation: str, status: int, text: str, *, hidden: str, operator: bool) -> list[str]:
    """What is wrong with an answer, as sentences."""
    found: list[str] = []
    if hidden and hidden in text.lower():
        found.append(f"shows what belongs to {hidden}")
    if operator or status >= 300:
        return found
    if operation in OPERATORS:
        found.append(f"{operation} is the operator's alone")
    if operation in OWN and PUBLIC in set(_tenants(text)):
        found.append(f"{operation} shows a row of {PUBLIC}")
    return found


def _tenants(text: str) -> Iterator[Any]:
    """The tenants that rows name: an object's `tenant`, or the `id` of one that is a tenant itself."""
    for line in text.splitlines():
        whole: Any = json.loads(line)
        rows = whole.get("data", [whole.get("row", whole)])
        yield from (row.get("tenant", row.get("id")) for row in rows if isinstance(row, dict))
