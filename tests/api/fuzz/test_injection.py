"""Hostile texts in every place of every operation of the running API: no effect, no failure, nothing repeated.

`FUZZ_EVERY=1` sends every text in every place (`make fuzz`).
"""

import json
import os
from collections.abc import Iterator
from typing import Any, Final

import httpx
import pytest

from api.app import make_routes
from api.document import openapi
from local.stack import Stack
from pipeline.schema import PUBLIC
from service import apikey
from tests.api.fuzz import places as spots
from tests.api.fuzz import rooms, stores, strings
from tests.api.fuzz.attack import attack, plain
from tests.api.fuzz.covering import covering, product
from tests.api.fuzz.places import Place
from tests.api.fuzz.world import World, world

pytestmark = pytest.mark.stack
SEED: Final = int(os.environ.get("FUZZ_SEED", "1"))
CHOICE: Final = product if os.environ.get("FUZZ_EVERY") else covering
THROWN: Final = "thrown-away"  # whatever is accepted befalls this tenant
ONCE: Final = "planted-idempotency-91c4"


@pytest.fixture(scope="module")
def running(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world(stack, tmp_path_factory.mktemp("injection")) as made:
        yield made


@pytest.fixture(scope="module")
def thrown(running: World) -> dict[str, Any]:
    """The key of a tenant that is thrown away, as it was answered when it was made."""
    with httpx.Client(base_url=running.url, headers=running.headers(PUBLIC)) as client:
        client.post("/v1/admin/tenants", json={"id": THROWN, "name": "n"}).raise_for_status()
        body = {"name": "n", "role": "viewer", "tenant": THROWN}
        made = client.post("/v1/admin/keys", json=body, headers={"Idempotency-Key": ONCE})
    assert made.status_code == 201, made.text
    return made.json()


@pytest.fixture(scope="module")
def places(thrown: dict[str, Any]) -> list[Place]:
    own = {"tenant": THROWN, "key_id": thrown["id"]}
    return spots.places(openapi.document(make_routes()), own)


async def test_no_text_has_an_effect(running: World, places: list[Place]) -> None:
    key = running.keys[PUBLIC].text()
    usual = await plain(running.url, key, spots.calls(places))
    refused = [f"{name}: {each.body[:200]!r}" for name, each in usual.items() if each.status >= 500]
    assert not refused
    before = await stores.state(running.settings, {THROWN})
    outcome = await attack(running.url, key, CHOICE(places, strings.every(SEED)), usual)
    print(f"{sum(outcome.statuses.values())} requests: {dict(sorted(outcome.statuses.items()))}")  # noqa: T201
    assert not outcome.wrong, "\n".join(outcome.wrong[:40])
    created = {json.loads(body)["id"] for name, body in outcome.made if name == "create_tenant"}
    after = await stores.state(running.settings, {THROWN, *created})
    assert stores.changed(before, after) == {}
    assert outcome.statuses.keys() <= {200, 201, 304, 400, 401, 403, 404, 406, 409, 413, 415, 422}


def test_every_line_of_the_log_is_one_object(running: World) -> None:
    lines = running.log.read_text().splitlines()
    assert lines
    for line in lines:
        assert isinstance(json.loads(line), dict), line


async def test_no_secret_is_written_anywhere(running: World, thrown: dict[str, Any]) -> None:
    keys = {f"key of {name}": key.secret for name, key in running.keys.items()}
    made = apikey.parse(thrown["key"])
    assert made is not None
    secrets = rooms.secrets(running.stack, running.settings) | keys | {"made": made.secret, "once": ONCE}
    held = {"log": running.log.read_text(), **await stores.texts(running.settings)}
    found = [f"{name} in {where}" for where, text in held.items() for name, each in secrets.items() if each in text]
    assert not found


async def test_what_changes_in_the_stores_is_seen(running: World) -> None:
    before = await stores.state(running.settings, ())
    async with httpx.AsyncClient(base_url=running.url, headers=running.headers(PUBLIC)) as client:
        made = await client.post("/v1/admin/tenants", json={"id": "one-more", "name": "n"})
    assert made.status_code == 201
    after = await stores.state(running.settings, ())
    assert stores.changed(before, after).keys() == {"tenants"}


def test_what_ends_by_itself_is_no_change_and_all_else_is() -> None:
    before = {"kept": "1", "changed": "1", "gone": "string for ever", "ended": "string with an end"}
    after = {"kept": "1", "changed": "2", "made": "string with an end"}
    assert stores.changed(before, after).keys() == {"changed", "gone", "made"}
