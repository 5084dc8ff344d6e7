"""One dead letter for a person or a program: why it was refused, and the message that it keeps."""

from base64 import b64encode
from typing import Any, Final

import msgspec
from starlette.responses import Response

from api.admin.letters import Row, letter_row
from api.answers import COMPLETE
from db.kafka.letters import Original
from db.letters.causes import Dead

_WHOLE: Final = 1024 * 1024  # bytes of a value that an answer of JSON repeats
_ROWS: Final = msgspec.json.Decoder(list[dict[str, Any]])


def raw(dead: Dead, original: Original, *, complete: bool) -> Response:
    """The bytes of the message, never as something that a browser opens."""
    headers = {
        "Content-Disposition": f'attachment; filename="dead-letter-{dead.id}.bin"',
        "X-Content-Type-Options": "nosniff",
        COMPLETE: "true" if complete else "false",
    }
    return Response(original.value or b"", headers=headers, media_type="application/octet-stream")


def described(dead: Dead, original: Original, *, complete: bool) -> Row:
    """The row of the letter, and what else is known of it. `complete`: the value lacks no byte."""
    told = original.told
    return {
        **letter_row(dead),
        "attempt_asked": dead.asked or None,
        "labels": msgspec.to_builtins(dead.letter.labels),
        "program_version": told.get("program_version"),
        "replayed_at": told.get("replayed_at"),
        "refused": _refused(told.get("rows")),
        "message": _message(original, complete=complete),
    }


def _message(original: Original, *, complete: bool) -> Row:
    headers = [{"name": name, **_bytes(value)} for name, value in original.headers]
    value = original.value
    large = value is not None and len(value) > _WHOLE
    advice = "It is large: ask with format=raw for its bytes." if large else None
    shown = {"base64": None, "text": None} if large else _bytes(value)
    about = {"size": len(value or b""), "complete": complete, "advice": advice}
    return {"key": _bytes(original.key), "headers": headers, "value": {**shown, **about}}


def _bytes(value: bytes | None) -> dict[str, str | None]:
    """Null where there is none; `text` also where it is no UTF-8."""
    return {"base64": None if value is None else b64encode(value).decode(), "text": _text(value)}


def _text(value: bytes | None) -> str | None:
    try:
        return None if value is None else value.decode()
    except UnicodeDecodeError:
        return None


def _refused(rows: str | None) -> list[dict[str, Any]]:
    """The first refused rows of a document that else lives."""
    try:
        return _ROWS.decode(rows or "[]")
    except msgspec.MsgspecError:
        return []
