"""Dead letters over REST: who sees them, pages of them, one with its bytes, and what is sent again."""

from base64 import b64encode
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from db.kafka.letters import Original
from db.letters.causes import Dead
from db.letters.held import TooMany
from db.letters.states import State
from pipeline.replay import Labels
from tests.api import fakes
from tests.db.letters.making import letter

LETTERS = "/v1/admin/dead-letters"
REPLAY = f"{LETTERS}/replay"
BYTES = b'\x00\xff<script>"'


def _dead(number: int, reason: str = "payload.market is absent", state: State = State.waiting, **facts: Any) -> Dead:
    """Of the message at an offset; it was refused in that second."""
    facts = {"origin": f"t/id/0/{number}", "written_ms": number * 1000, "message": reason, **facts}
    return Dead(letter(**facts), state, asked=0 if state is State.waiting else 2, read=state is not State.waiting)


def _at(second: int) -> str:
    return datetime.fromtimestamp(1_767_225_600 + second, UTC).isoformat().replace("+00:00", "Z")


def _since_2026(number: int, **facts: Any) -> Dead:
    return _dead(number, written_ms=(1_767_225_600 + number) * 1000, **facts)


@pytest.fixture
async def operator(reads: fakes.FakeReads) -> AsyncIterator[httpx.AsyncClient]:
    async with fakes.client(reads, reads.add_key(role="operator")) as client:
        yield client


async def _listed(http: httpx.AsyncClient, **given: Any) -> list[dict[str, Any]]:
    answer = await http.get(LETTERS, params=given)
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]


async def test_only_the_operator_with_the_scope(reads: fakes.FakeReads) -> None:
    reads.dead = [_dead(1)]
    reads.originals[reads.dead[0].id] = Original(None, BYTES, [], {}), True
    asked = [("GET", LETTERS), ("GET", f"{LETTERS}/{reads.dead[0].id}"), ("POST", REPLAY)]
    for tenant, role, kind in (("acme", "admin", "operator-only"), ("public", "analyst", "scope-missing")):
        async with fakes.client(reads, reads.add_key(tenant, role)) as http:
            for method, path in asked:
                answer = await http.request(method, path, json={"all": True} if method == "POST" else None)
                assert (answer.status_code, answer.json()["type"]) == (403, f"/docs/errors/{kind}")
                assert "absent" not in answer.text
    assert reads.resent == []


async def test_causes_are_counted_with_an_example(reads: fakes.FakeReads, operator: httpx.AsyncClient) -> None:
    landed = _dead(3, "row 9 is 'odd'", State.landed, name="a.csv")
    reads.dead = [_dead(1, stamp_ms=0), _dead(2), landed, _dead(4, "row 7 is 'bad'", State.replayed, market="MISO")]
    first, second, third = await _listed(operator)
    assert (first["market"], first["reason"], first["replayed"]) == ("miso", "row # is …", 1)
    assert (second["example"], second["name"], second["landed"], second["waiting"]) == (landed.id, "a.csv", 1, 0)
    assert (third["letters"], third["waiting"], third["example"]) == (2, 2, reads.dead[1].id)
    assert (third["first_seen"], third["last_seen"]) == ("1970-01-01T00:00:00Z", "1970-01-01T00:00:02Z")


async def test_letters_of_a_cause_come_newest_first_with_their_place(
    reads: fakes.FakeReads, operator: httpx.AsyncClient
) -> None:
    reads.dead = [_dead(1), _dead(2, "other words"), _dead(3, state=State.replayed)]
    rows = await _listed(operator, cause=reads.dead[0].cause[:4])
    assert [row["offset"] for row in rows] == [3, 1]
    assert (rows[0]["topic_id"], rows[0]["partition"], rows[0]["topic"]) == ("t/id", 0, "raw")
    assert (rows[0]["state"], rows[0]["stage"], rows[0]["error"]) == ("replayed", "normalize", "MessageRefused")


async def test_pages_hold_every_row_once(reads: fakes.FakeReads, operator: httpx.AsyncClient) -> None:
    reads.dead = [_dead(number, f"word{'x' * number}", written_ms=number // 2 * 1000) for number in range(7)]
    for given in ({}, {"cause": reads.dead[0].cause}):
        if given:
            reads.dead = [_dead(number, written_ms=number // 2 * 1000) for number in range(7)]
            given["cause"] = reads.dead[0].cause
        whole, seen, cursor = await _listed(operator, **given), [], None
        while True:
            asked = {**given, "limit": 2, **({"cursor": cursor} if cursor else {})}
            page = (await operator.get(LETTERS, params=asked)).json()
            seen += page["data"]
            cursor = page["next"]
            if cursor is None:
                break
        assert seen == whole
        assert len(seen) == 7


async def test_filters(reads: fakes.FakeReads, operator: httpx.AsyncClient) -> None:
    reads.dead = [_since_2026(0), _since_2026(1, topic="other"), _since_2026(2, state=State.landed)]
    cause = reads.dead[0].cause

    async def offsets(**given: str) -> list[int]:
        return [row["offset"] for row in await _listed(operator, cause=cause, **given)]

    assert await offsets(topic="other") == [1]
    assert await offsets(state="landed") == [2]
    assert await offsets(since=_at(1)) == [2, 1]
    assert await offsets(until=_at(1)) == [0]
    assert await offsets(since=_at(1), until=_at(2)) == [1]
    assert await _listed(operator, state="replayed") == []


async def test_one_is_shown_with_its_bytes(reads: fakes.FakeReads, operator: httpx.AsyncClient) -> None:
    dead = _dead(7, labels=Labels(market="miso"))
    reads.dead = [dead]
    told = {"rows": '[{"row":3,"reason":"odd"}]', "program_version": "1.2"}
    reads.originals[dead.id] = Original(b"k", "prix: 3 €".encode(), [("trace", b"\xff"), ("none", None)], told), True
    for name in (dead.id, dead.id[:6], "t/id/0/7"):
        shown = (await operator.get(f"{LETTERS}/{name}")).json()
        assert (shown["id"], shown["reason"]) == (dead.id, "payload.market is absent")
    assert (shown["refused"], shown["labels"]) == ([{"row": 3, "reason": "odd"}], {"market": "miso"})
    message = shown["message"]
    assert message["key"] == {"base64": "aw==", "text": "k"}
    assert message["headers"] == [
        {"name": "trace", "base64": "/w==", "text": None}, {"name": "none", "base64": None, "text": None},
    ]  # fmt: skip
    assert message["value"]["text"] == "prix: 3 €"
    assert message["value"]["base64"] == b64encode("prix: 3 €".encode()).decode()


@pytest.mark.parametrize("complete", [True, False])
async def test_raw_are_the_bytes_that_no_browser_opens(
    reads: fakes.FakeReads, operator: httpx.AsyncClient, complete: bool
) -> None:
    reads.dead = [_dead(7)]
    reads.originals[reads.dead[0].id] = Original(None, BYTES, [], {}), complete
    answer = await operator.get(f"{LETTERS}/t/id/0/7", params={"format": "raw"})
    assert answer.content == BYTES
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-disposition"].startswith("attachment")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["gridtick-complete"] == str(complete).lower()


async def test_a_large_value_is_only_given_raw(reads: fakes.FakeReads, operator: httpx.AsyncClient) -> None:
    reads.dead = [_dead(7)]
    reads.originals[reads.dead[0].id] = Original(None, b"x" * (1024 * 1024 + 1), [], {}), True
    value = (await operator.get(f"{LETTERS}/t/id/0/7")).json()["message"]["value"]
    assert (value["base64"], value["text"], value["size"]) == (None, None, 1024 * 1024 + 1)
    assert "format=raw" in value["advice"]
    assert len((await operator.get(f"{LETTERS}/t/id/0/7?format=raw")).content) == value["size"]


async def test_what_is_not_there_is_404(reads: fakes.FakeReads, operator: httpx.AsyncClient) -> None:
    reads.dead = [_dead(1)]
    for path, name in (
        (f"{LETTERS}/zzzz", "letter"),
        (f"{LETTERS}?cause=ffffff", "cause"),
        (f"{LETTERS}/t/id/0/1", ""),
    ):
        answer = await operator.get(path)
        assert (answer.status_code, answer.json()["detail"].startswith(name)) == (404, True)
        assert LETTERS in answer.json()["detail"]
    for body in ({"letters": ["zzzz"]}, {"cause": "ffffff"}):
        assert (await operator.post(REPLAY, json=body)).status_code == 404


async def test_an_id_that_may_be_two_is_422(reads: fakes.FakeReads, operator: httpx.AsyncClient) -> None:
    many = {(dead := _dead(number)).id[:3]: dead for number in range(200)}
    twin = next(dead for number in range(200, 9_999) if (dead := _dead(number)).id[:3] in many)
    reads.dead = [many[twin.id[:3]], twin]
    answer = await operator.get(f"{LETTERS}/{twin.id[:3]}")
    assert (answer.status_code, answer.json()["errors"][0]["parameter"]) == (422, "letter")
    assert twin.id in answer.json()["detail"]


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("state=gone", "state"),
        ("since=2026-01-01", "since"),
        ("limit=0", "limit"),
        ("tenant=acme", "tenant"),
        ("cursor=x", "cursor"),
    ],
)
async def test_a_query_is_read_strictly(operator: httpx.AsyncClient, query: str, parameter: str) -> None:
    answer = await operator.get(f"{LETTERS}?{query}")
    assert (answer.status_code, answer.json()["errors"][0]["parameter"]) == (422, parameter)


@pytest.mark.parametrize(
    ("body", "parameter"),
    [
        ({}, "body"), ({"all": True, "cause": "abc"}, "body"), ({"letters": []}, "body"), ({"all": "yes"}, "all"),
        ({"all": True, "market": "NO!"}, "market"), ({"all": True, "tenant": "a b"}, "tenant"),
        ({"all": True, "limit": 5_001}, "limit"), ({"all": True, "dry_run": 1}, "dry_run"),
        ({"letters": ["x"] * 1_001}, "letters"), ({"all": True, "wait": True}, "wait"),
    ],
)  # fmt: skip
async def test_a_replay_is_read_strictly(
    reads: fakes.FakeReads, operator: httpx.AsyncClient, body: dict[str, Any], parameter: str
) -> None:
    reads.dead = [_dead(1)]
    answer = await operator.post(REPLAY, json=body)
    assert (answer.status_code, answer.json()["errors"][0]["parameter"]) == (422, parameter)
    assert reads.resent == []


async def test_a_dry_run_tells_and_sends_nothing(reads: fakes.FakeReads, operator: httpx.AsyncClient) -> None:
    reads.dead = [_dead(1), _dead(2), _dead(3, state=State.landed)]
    told = (await operator.post(REPLAY, json={"all": True, "dry_run": True})).json()
    assert (told["chosen"], told["sent"], told["left_out"], told["remaining"]) == (3, 2, 1, 0)
    assert (reads.resent, reads.records) == ([], [])


async def test_a_replay_is_recorded_once_and_done_once(reads: fakes.FakeReads, operator: httpx.AsyncClient) -> None:
    reads.dead = [_dead(1), _dead(2)]
    body, headers = {"cause": reads.dead[0].cause, "market": "nyiso"}, {"Idempotency-Key": "replay-one-cause"}
    first, again = [await operator.post(REPLAY, json=body, headers=headers) for _ in range(2)]
    assert (first.json(), again.headers["idempotency-replayed"]) == (again.json(), "true")
    assert [(each.replay.attempt, each.replay.labels) for each in reads.resent] == [(2, Labels(market="nyiso"))] * 2
    (record,) = reads.records
    assert (record.action, record.tenant, record.target) == ("deadletter.replay", "public", reads.dead[0].cause)
    assert '"letters":2' in record.detail
    assert '"market":"nyiso"' in record.detail


async def test_nothing_to_send_is_not_recorded(reads: fakes.FakeReads, operator: httpx.AsyncClient) -> None:
    reads.dead = [_dead(1, state=State.replayed)]
    told = (await operator.post(REPLAY, json={"all": True})).json()
    assert (told["sent"], told["left_out"], reads.records) == (0, 1, [])
    told = (await operator.post(REPLAY, json={"letters": ["t/id/0/1"], "again": True})).json()
    assert (told["sent"], reads.resent[0].replay.attempt) == (1, 3)


async def test_what_is_more_than_the_limit_or_too_large_remains(
    reads: fakes.FakeReads, operator: httpx.AsyncClient
) -> None:
    asked_for = Dead(letter(origin="t/id/0/9", written_ms=0), State.replayed, asked=2, read=False)
    reads.dead = [asked_for, *(_dead(number) for number in range(3))]
    told = (await operator.post(REPLAY, json={"all": True, "limit": 3})).json()
    assert (told["sent"], told["remaining"]) == (3, 1)
    assert asked_for not in [each.dead for each in reads.resent], "what waits comes first"
    reads.dead = [_dead(number, size=200 * 1024 * 1024) for number in range(3)]
    told = (await operator.post(REPLAY, json={"all": True})).json()
    assert (told["sent"], told["remaining"]) == (1, 2)


async def test_kafka_away_is_503_and_too_many_say_since(reads: fakes.FakeReads, operator: httpx.AsyncClient) -> None:
    reads.gone["kafka"] = "KafkaAway"
    for answer in (await operator.get(LETTERS), await operator.post(REPLAY, json={"all": True})):
        assert (answer.status_code, answer.json()["type"]) == (503, "/docs/errors/store-away")
        assert answer.headers["retry-after"] == "5"
    del reads.gone["kafka"]
    reads.too_many = TooMany("more", "cli")
    answer = await operator.get(LETTERS)
    assert (answer.status_code, answer.json()["errors"][0]["parameter"]) == (422, "since")
