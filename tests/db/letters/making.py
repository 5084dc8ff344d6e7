"""Dead letters of no real message."""

from typing import Any

from db.kafka.letters import Letter
from pipeline.replay import Labels


def letter(**facts: Any) -> Letter:
    """One of message tid/0/7, refused once, but for these facts."""
    usual: dict[str, Any] = {
        "origin": "tid/0/7", "topic": "raw", "stamp_ms": 1_000, "written_ms": 2_000, "place": (0, 0),
        "stage": "normalize", "error_class": "MessageRefused", "message": "payload.market is absent", "attempts": 1,
        "refused_rows": 0, "truncated_bytes": 0, "size": 9, "labels": Labels(), "market": None, "name": None,
    }  # fmt: skip
    return Letter(**{**usual, **facts})
