"""Why an administrative change is not made."""

from typing import Final, Literal

from pipeline.errors import DataProcessingError

Why = Literal[
    "not-found",
    "tenant-exists",
    "tenant-inactive",
    "public-tenant",
    "key-ended",
    "idempotency-mismatch",
    "idempotency-in-progress",
]
STAGE: Final = "access"


class Refused(DataProcessingError):
    """Nothing was changed; `why` for programs, the message says what to do."""

    def __init__(self, why: Why, message: str) -> None:
        super().__init__(message, STAGE)
        self.why: Why = why
