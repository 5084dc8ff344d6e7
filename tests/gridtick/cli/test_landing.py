"""What `gridtick send --wait` says of what came of it."""

from uuid import uuid4

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from db.postgres.engine import make_engine
from db.postgres.ledger import LandedRange, Outcome, append_ledger
from gridtick.cli import landing
from pipeline.errors import DataProcessingError
from service.settings import Settings


def test_all_is_well() -> None:
    assert landing.said(Outcome(1, 1), 1, "dead") == "everything sent can be queried: 1 price"


def test_refusals_are_counted() -> None:
    assert landing.said(Outcome(3, 40, 5, 2), 3, "dead") == (
        "40 prices, 5 rows rejected, 2 messages refused whole or in part (dead letters in dead)"
    )


def test_what_may_be_of_others_is_said() -> None:
    assert landing.said(Outcome(3, 40, 1, 1), 2, "dead").startswith("with 1 message of others in the same batches: 40")
    assert "with 6 messages of others" in landing.said(Outcome(8, 40), 2, "dead")


async def _written(engine: AsyncEngine, identity: str, dead_letters: int) -> None:
    each = LandedRange("raw", identity, 0, 5, 8, 3, 0, dead_letters, dead_letters, 1, "b")
    await append_ledger(engine, [each])


@pytest.mark.stack
@pytest.mark.parametrize(("dead_letters", "fine"), [(0, True), (3, False)])
async def test_dead_letters_are_no_success(settings: Settings, dead_letters: int, fine: bool) -> None:
    identity, engine = uuid4().hex, make_engine(settings.postgres.dsn.get_secret_value(), pooled=False)
    await _written(engine, identity, dead_letters)
    found = await landing.landed(engine, identity, {0: (5, 8)})
    assert found == Outcome(3, 0, dead_letters, dead_letters)
    assert landing.nothing_refused(found) is fine


@pytest.mark.stack
async def test_what_does_not_land_in_time_is_said(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(landing, "LANDS_WITHIN_S", 0.0)
    monkeypatch.setattr(landing, "LOOK_S", 0.0)
    engine = make_engine(settings.postgres.dsn.get_secret_value(), pooled=False)
    with pytest.raises(DataProcessingError, match="3 messages have not landed"):
        await landing.landed(engine, uuid4().hex, {0: (5, 8)})
