import base64
import gzip
from datetime import UTC, datetime

import msgspec

from db.kafka import envelopes

AT = datetime(2024, 3, 12, 20, 0, 0, 5, tzinfo=UTC)


def test_a_plain_document_is_packed_and_a_packed_one_is_left() -> None:
    plain = envelopes.document(b"a,b\n1,2\n", "x.csv", AT, "t", "s", "caiso", None)
    payload = msgspec.json.decode(plain)["payload"]
    assert gzip.decompress(base64.b64decode(payload["document"])) == b"a,b\n1,2\n"
    assert (payload["format"], payload["encoding"], payload["name"], payload["market"]) == (
        "csv",
        "base64",
        "x.csv",
        "caiso",
    )
    assert "product" not in payload
    packed = msgspec.json.decode(envelopes.document(b"PK\x03\x04rest", "x.zip", AT, "t", "s", None, None))["payload"]
    assert base64.b64decode(packed["document"]) == b"PK\x03\x04rest"


def test_a_repeat_repeats_the_event_id() -> None:
    first, again, other = (
        msgspec.json.decode(envelopes.envelope({"price": price}, AT, "t", "s"))["envelope"] for price in (1, 1, 2)
    )
    assert first == again
    assert first["event_id"] != other["event_id"]
    assert first["timestamp"] == "2024-03-12T20:00:00.000005Z"
    assert (first["tenant_id"], first["source"], first["event_type"]) == ("t", "s", "ingestion.market.raw.v1")
