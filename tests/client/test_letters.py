"""The client's part for dead letters, against the routes themselves."""

import asyncio
from collections.abc import Iterator

import pytest

from api.app import create_app
from db.kafka.letters import Original
from db.letters.causes import Dead
from db.letters.states import State
from gridtick.client import Client, Forbidden, InvalidRequest, NotFound
from pipeline.replay import Labels
from tests.api import fakes
from tests.client.test_admin import Transport
from tests.db.letters.making import letter


@pytest.fixture
def reads() -> fakes.FakeReads:
    made = fakes.FakeReads()
    made.dead = [Dead(letter(origin=f"t/+id/0/{n}", written_ms=n * 1000), State.waiting) for n in range(3)]
    return made


@pytest.fixture
def client(reads: fakes.FakeReads) -> Iterator[Client]:
    loop = asyncio.new_event_loop()
    transport = Transport(create_app(fakes.state(reads)), loop)
    with Client("http://api.test", reads.add_key("public", "operator"), transport=transport) as made:
        yield made
    loop.close()


def test_causes_and_letters_are_listed(reads: fakes.FakeReads, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gridtick.client.http.PAGE", 2)
    (cause,) = client.dead_letters.causes()
    assert (cause["letters"], cause["example"]) == (3, reads.dead[2].id)
    assert [each["offset"] for each in client.dead_letters.list(cause["cause"], state="waiting")] == [2, 1, 0]
    with pytest.raises(NotFound):
        list(client.dead_letters.list("ffffff"))


def test_one_is_shown_by_its_position(reads: fakes.FakeReads, client: Client) -> None:
    reads.originals[reads.dead[1].id] = Original(None, b"abc", [], {}), True
    shown = client.dead_letters.show("t/+id/0/1")
    assert (shown["id"], shown["message"]["value"]["text"]) == (reads.dead[1].id, "abc")


def test_a_replay_says_what_came_of_it(reads: fakes.FakeReads, client: Client) -> None:
    assert client.dead_letters.replay(every=True, dry_run=True)["sent"] == 3
    first, again = [
        client.dead_letters.replay([reads.dead[0].id], market="nyiso", once="once-and-no-more") for _ in range(2)
    ]
    assert (first["sent"], first) == (1, again)
    assert [each.replay.labels for each in reads.resent] == [Labels(market="nyiso")]
    with pytest.raises(InvalidRequest):
        client.dead_letters.replay()


def test_another_tenant_is_refused(reads: fakes.FakeReads) -> None:
    loop = asyncio.new_event_loop()
    key = reads.add_key("acme", "admin")
    with (
        Client("http://api.test", key, transport=Transport(create_app(fakes.state(reads)), loop)) as stranger,
        pytest.raises(Forbidden),
    ):
        stranger.dead_letters.replay(every=True)
    loop.close()
