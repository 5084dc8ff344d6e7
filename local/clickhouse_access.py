"""Who may ask the stand-in for ClickHouse: whoever knows the password of its data folder, from this machine.

Whoever may ask may read and write files as the server's user: the engine has functions for it. Other users of the
machine do not know the password, a web page cannot add it to a request, and one that had its own name pointed at
this machine comes with a foreign `Host`.
"""

import hmac
import re
from base64 import b64decode
from collections.abc import Sequence
from dataclasses import dataclass
from email.message import Message
from typing import Final

USER: Final = "gridtick"
# Handed over by environment: command lines are open to every user of a machine.
PASSWORD: Final = "GRIDTICK_CLICKHOUSE_PASSWORD"  # noqa: S105  the name of a variable
_HERE: Final = re.compile(r"(?:127\.0\.0\.1|localhost)(?::\d+)?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Refusal:
    """What a request that may not be here is answered: HTTP's status, ClickHouse's number and words."""

    status: int
    code: int
    text: bytes


_FOREIGN: Final = Refusal(403, 497, b"Code: 497. The Host of a request must be 127.0.0.1 or localhost. (ACCESS_DENIED)")
_UNKNOWN: Final = Refusal(
    401, 516, b"Code: 516. DB::Exception: User or password is not right: take the address of "
    b"`<data folder>/secrets/DATA_PROC_CLICKHOUSE_URL`. (AUTHENTICATION_FAILED)",
)  # fmt: skip


class Access:
    """Looks at the headers of a request and at nothing else."""

    def __init__(self, password: str) -> None:
        self._login = f"{USER}:{password}".encode()

    def refusal(self, headers: Message, is_open: bool) -> Refusal | None:  # noqa: FBT001
        """Why the request is refused; None admits it. An open one needs no login."""
        if not _is_here(headers.get_all("Host") or []):
            return _FOREIGN
        return None if is_open or self._is_known(headers.get_all("Authorization") or []) else _UNKNOWN

    def _is_known(self, given: Sequence[str]) -> bool:
        kind, _, encoded = given[0].strip().partition(" ") if len(given) == 1 else ("", "", "")
        if kind.lower() != "basic":
            return False
        try:
            login = b64decode(encoded, validate=True)
        except ValueError:
            return False
        return hmac.compare_digest(login, self._login)


def _is_here(hosts: Sequence[str]) -> bool:
    return len(hosts) == 1 and _HERE.fullmatch(hosts[0].strip()) is not None
