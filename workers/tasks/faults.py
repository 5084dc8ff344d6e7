"""Which failures of ClickHouse are the data's fault, and which are the server's."""

import re
from collections.abc import Generator
from contextlib import contextmanager
from typing import Final

from clickhouse_connect.driver.exceptions import DatabaseError

from workers.tasks.base import DataError

# Overflows and values that a type cannot hold. Anything else (memory, time, too many parts, a server that is
# away) may pass on another try.
DATA_CODES: Final = frozenset({6, 27, 41, 69, 70, 72, 131, 153, 321, 407})
_CODE: Final = re.compile(r"(?:code:?\s*|Code:\s*)(\d+)", re.IGNORECASE)


@contextmanager
def engine_refusals(stage: str) -> Generator[None]:
    """Around engine calls of a stage: raises `DataError` where the engine says that a value cannot be worked on."""
    try:
        yield
    except DatabaseError as error:
        if code_of(str(error)) in DATA_CODES:
            raise DataError(f"[{stage}] {error}"[:2000]) from error
        raise


def code_of(message: str) -> int | None:
    """The engine's error code in a message."""
    found = _CODE.search(message)
    return int(found.group(1)) if found else None
