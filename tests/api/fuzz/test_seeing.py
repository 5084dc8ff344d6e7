"""The checks see what is wrong: a read that interpolates, a header that repeats, a row of others."""

import sqlite3
from collections import defaultdict
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from api.app import make_routes
from api.document import openapi
from tests.api import fakes
from tests.api.fuzz import seeing, strings
from tests.api.fuzz.covering import EACH, covering
from tests.api.fuzz.places import Call, Place, places
from tests.api.fuzz.seeing_answers import faults

TEXTS = strings.every()
HEADERS = [("content-type", "application/json"), ("x-request-id", "3f1c9b0e5d5a4b6c")]


class Interpolating(fakes.FakeReads):
    """Puts what is asked for into the text of its statement."""

    async def key_of(self, key_id: str, whose: Any) -> dict[str, object]:
        rows = sqlite3.connect(":memory:").execute(f"SELECT '{key_id}' AS id").fetchall()
        return {"id": rows[0][0]}


async def found(reads: fakes.FakeReads) -> list[str]:
    """What is wrong with the answers to texts as the id of a key."""
    async with fakes.client(reads, reads.add_key(role="admin")) as http:
        http._transport = httpx.ASGITransport(http._transport.app, raise_app_exceptions=False)  # type: ignore[attr-defined]
        answers = [await http.get(f"/v1/admin/keys/{quote(strings.raw(text), safe='')}") for text in TEXTS[:150]]
    return [each for answer in answers for each in faults(answer.status_code, answer.headers.multi_items())]


async def test_a_read_that_interpolates_is_seen() -> None:
    assert "answered 500" in await found(Interpolating())
    assert await found(fakes.FakeReads()) == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("x-forged", "1"),
        ("set-cookie", "a=b"),
        ("etag", "\x1b[31m"),
        ("link", '</v1/ticks?q=">; rel="next"'),
        ("content-disposition", 'attachment; filename="a".csv"'),
        ("content-disposition", 'attachment; filename="../a.csv"'),
        ("x-request-id", "${jndi:ldap://127.0.0.1/a}"),
        ("content-type", "text/html; charset=<script>"),
    ],
)
def test_a_header_that_repeats_is_seen(name: str, value: str) -> None:
    assert list(faults(200, HEADERS)) == []
    assert len(list(faults(200, [*HEADERS, (name, value)]))) == 1


@pytest.mark.parametrize(
    ("operation", "status", "text"),
    [
        ("list_ticks", 200, '{"data":[{"tenant":"RIVAL"}]}'),
        ("show_tenant", 404, '{"detail":"rival is not yours"}'),
        ("create_tenant", 201, '{"id":"new"}'),
        ("list_dead_letters", 200, '{"data":[]}'),
        ("list_keys", 200, '{"data":[{"tenant":"acme"},{"tenant":"public"}]}'),
        ("list_tenants", 200, '{"data":[{"id":"public"}]}'),
        ("export_tenant", 200, '{"kind":"audit","row":{"tenant":"public"}}\n{"kind":"end","rows":1}'),
    ],
)
def test_what_a_customer_may_not_see_is_seen(operation: str, status: int, text: str) -> None:
    assert len(seeing.faults(operation, status, text, hidden="rival", operator=False)) == 1
    assert seeing.faults(operation, status, text, hidden="", operator=True) == []


def test_a_customer_sees_public_prices_and_its_own() -> None:
    told = '{"data":[{"tenant":"acme"},{"tenant":"public"}]}'
    assert seeing.faults("list_ticks", 200, told, hidden="rival", operator=False) == []
    assert seeing.faults("list_keys", 200, '{"data":[{"tenant":"acme"}]}', hidden="rival", operator=False) == []


def every() -> list[Place]:
    return places(openapi.document(make_routes()), {"tenant": "t", "key_id": "k"})


def test_there_are_many_texts_and_they_are_the_same_of_every_run() -> None:
    assert len(TEXTS) >= 500
    assert strings.every() == TEXTS
    assert sorted(strings.every(2), key=repr) == sorted(TEXTS, key=repr)


def test_every_text_is_sent_in_places_of_several_kinds_and_every_place_gets_many() -> None:
    kinds, number = defaultdict[str, set[str]](set), defaultdict[tuple[str, str, str], int](int)
    for place, text in covering(every(), TEXTS):
        kinds[text].add(place.kind)
        number[place.call.operation, place.kind, place.name] += 1
    assert all(len(each) >= 3 for each in kinds.values())
    assert kinds.keys() == set(TEXTS)
    assert len(number) == len(every())
    assert set(number.values()) == {EACH}


def test_every_parameter_and_field_of_the_document_is_a_place() -> None:
    document = openapi.document(make_routes())
    named = {(place.call.operation, place.name) for place in every()}
    for methods in document["paths"].values():
        for operation in methods.values():
            for each in operation.get("parameters", ()):
                assert (operation["operationId"], each["name"]) in named
    assert {(place.call.operation, place.name) for place in every() if place.kind == "body"} >= {
        ("create_key", "name"), ("create_tenant", "markets"), ("replay_dead_letters", "cause"),
        ("load_reference_table", "cell"),
    }  # fmt: skip


def test_a_request_is_written_as_it_was_meant() -> None:
    call = Call("x", "GET", "/v1/{id}", {"id": "a/b"}, {"q": "\udcff'"}, {"User-Agent": "a\r\nb"})
    assert call.written("key").split(b"\r\n") == [
        b"GET /v1/a%2Fb?q=%FF%27 HTTP/1.1", b"Host: fuzz", b"Authorization: Bearer key", b"User-Agent: ab",
        b"Content-Length: 0", b"", b"",
    ]  # fmt: skip
