"""Raw envelopes: what a producer puts on the raw topic."""

import base64
import gzip
from datetime import datetime
from pathlib import PurePath
from typing import Any, Final
from uuid import UUID, uuid5

import msgspec

EVENT_TYPE: Final = "ingestion.market.raw.v1"
VERSION: Final = "1.0"
_NAMES: Final = UUID("6f0e6f3c-6a0b-5c53-9d43-4f4fbb2a9a5e")
_PACKED: Final = (b"PK\x03\x04", b"PK\x05\x06", b"\x1f\x8b")


def document(
    content: bytes, name: str, at: datetime, tenant: str, source: str, market: str | None, product: str | None
) -> bytes:
    """The envelope of an exchange's document, compressed unless it is; the same bytes at `at` give the same bytes.

    `market` and `product` null: the parser finds them out.
    """
    packed = content if content.startswith(_PACKED) else gzip.compress(content, 6, mtime=0)
    payload: dict[str, Any] = {
        "market": market,
        "product": product,
        "format": PurePath(name).suffix.lstrip(".").lower() or "csv",
        "encoding": "base64",
        "name": name,
        "document": base64.b64encode(packed).decode(),
    }
    return envelope({key: value for key, value in payload.items() if value is not None}, at, tenant, source)


def envelope(payload: dict[str, Any], at: datetime, tenant: str, source: str) -> bytes:
    """One raw message; its event id follows from what it says, so that a repeat repeats the id."""
    said = msgspec.json.encode(payload)
    stamp = at.isoformat().replace("+00:00", "Z")
    head = {
        "event_type": EVENT_TYPE,
        "event_id": str(uuid5(_NAMES, f"{tenant}|{source}|{stamp}|{said.hex()}")),
        "timestamp": stamp,
        "tenant_id": tenant,
        "source": source,
        "version": VERSION,
    }
    return msgspec.json.encode({"envelope": head, "payload": msgspec.Raw(said)})
