"""What a terminal gets to see of bytes that others wrote."""

import base64
import gzip
import io
import json
import zipfile

import pytest

from db.kafka.letters import Original
from db.letters.causes import Dead, cause_of
from db.letters.states import State
from gridtick.cli.letters.content import document, readable
from gridtick.cli.letters.plain import lines, plain
from gridtick.cli.letters.shown import described
from gridtick.cli.letters.shown_rows import cause_row, letter_row
from tests.db.letters.making import letter

EVIL = "\x1b]0;owned\x07\x9b2J\x00\r\u202e"


def _zipped(content: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("a.csv", content)
    return packed.getvalue()


def _message(packed: bytes, name: str) -> bytes:
    payload = {"market": "x", "name": name, "encoding": "base64", "document": base64.b64encode(packed).decode()}
    return json.dumps({"envelope": {}, "payload": payload}).encode()


def _told(value: bytes, **told: str) -> str:
    original = Original(EVIL.encode(), value, [(f"h{EVIL}", EVIL.encode("utf-16"))], told)
    return "\n".join(described(Dead(letter(message=f"no {EVIL}", name=EVIL), State.waiting), original))


@pytest.mark.parametrize("value", [EVIL.encode(), bytes(range(256)), b"", _message(EVIL.encode(), "a.csv")])
def test_nothing_of_others_steers_a_terminal(value: bytes) -> None:
    rows = json.dumps([{"row": 1, "reason": EVIL}])
    text = _told(value, rows=rows, refused_rows="1", program_version=EVIL)
    assert all(each.isprintable() or each in "\n\t" for each in text)
    assert r"no \x1b]0;owned\x07\x9b2J\x00\r" in text


def test_no_row_of_a_list_steers_a_terminal() -> None:
    dead = Dead(letter(message=EVIL, name=EVIL, market=EVIL, topic=EVIL, stage=EVIL, error_class=EVIL), State.waiting)
    for row in (letter_row(dead), cause_row(cause_of(dead.letter), [dead])):
        assert all(str(each).isprintable() for each in row.values())
    assert letter_row(dead)["reason"] == plain(EVIL)


def test_text_stays_as_it_is() -> None:
    assert plain("Zürich 30 €") == "Zürich 30 €"
    assert lines("a,ü\r\nb\tc\n\xff".encode("latin-1")) == "a,\\xfc\nb\tc\n\\xff"


def test_the_beginning_of_a_document_is_shown_unpacked() -> None:
    rows = b"".join(b"line %d\n" % n for n in range(100))
    for packed in (rows, gzip.compress(rows), _zipped(rows)):
        text = _told(_message(packed, "a.csv"))
        assert "line 0\nline 1\n" in text
        assert text.endswith("line 19")
        assert "of 790 bytes" in text


def test_a_document_is_written_as_its_sender_had_it() -> None:
    assert document(_message(gzip.compress(b"a,b\n"), "a.csv")) == b"a,b\n", "`gridtick send` has packed it"
    packed = gzip.compress(b"a,b\n")
    assert document(_message(packed, "a.csv.gz")) == packed
    assert document(_message(_zipped(b"a,b\n"), "a.zip")) == _zipped(b"a,b\n")


@pytest.mark.parametrize("value", [b"", b"not json", b'{"envelope":{},"payload":{}}', _message(b"", "a")[:-9]])
def test_a_message_without_a_document_is_its_own_bytes(value: bytes) -> None:
    assert document(value) is None
    assert readable(value) == value


def test_a_document_that_cannot_be_unpacked_is_what_there_is() -> None:
    cut = gzip.compress(b"a" * 99)[:-9]
    assert document(_message(cut, "a.csv")) is None
    assert readable(_message(_zipped(b"a")[:-9], "a.zip")) == _zipped(b"a")[:-9]
