"""What is typed on the machine is recorded too."""

import asyncio
import json
from uuid import uuid4

import pytest

from db.letters import sending
from db.letters.held import held
from db.letters.named import Choice
from db.postgres.audit_reads import Filters, records
from gridtick.cli.letters import stores
from pipeline.replay import Labels
from service.settings import Settings
from tests.db.letters.making import letter

pytestmark = pytest.mark.stack


def test_a_replay_is_one_record_of_the_operator(settings: Settings) -> None:
    market, choice = f"m{uuid4().hex[:9]}", Choice(labels=Labels(market="nyiso"))
    dead = held([letter(origin=f"t/0/{n}", market=market) for n in range(3)], {})
    stores.record(settings, sending.wanted(dead, choice, settings.kafka), choice)
    found = asyncio.run(records(stores.engine_of(settings), Filters(["public"], "deadletter.replay", "cli"), 0, 1_000))
    (record,) = [each for each in found if each.target == dead[0].cause]
    assert (record.actor_tenant, record.outcome, record.tenant) == ("public", "done", "public")
    assert json.loads(record.detail) == {
        "again": False, "ids": [each.id for each in dead], "labels": {"market": "nyiso"}, "letters": 3,
    }  # fmt: skip
