from collections.abc import AsyncIterator

import httpx
import pytest

from api.latest.kept import Kept
from api.state import State
from tests.api import fakes
from tests.api.held_reads import Asking, Store


@pytest.fixture
def reads() -> fakes.FakeReads:
    return fakes.FakeReads()


@pytest.fixture
async def http(reads: fakes.FakeReads) -> AsyncIterator[httpx.AsyncClient]:
    """A caller of the public tenant with the role viewer."""
    async with fakes.client(reads, reads.add_key()) as client:
        yield client


@pytest.fixture
def ticking() -> fakes.Ticking:
    return fakes.Ticking()


@pytest.fixture
def kept(ticking: fakes.Ticking) -> Kept:
    """What follows a log that tells nothing, until the clock moves on."""
    kept = Kept(ticking)
    kept.confirm(ticking.now)
    return kept


@pytest.fixture
def store() -> Store:
    return Store()


@pytest.fixture
def ask(kept: Kept, store: Store) -> Asking:
    return Asking(kept, store)


@pytest.fixture
def state(reads: fakes.FakeReads, ticking: fakes.Ticking, kept: Kept) -> State:
    return fakes.state(reads, ticking, kept)


@pytest.fixture
async def caller(reads: fakes.FakeReads, state: State) -> AsyncIterator[httpx.AsyncClient]:
    """A caller of the public tenant, where prices are kept."""
    async with fakes.client(reads, reads.add_key(), state) as client:
        yield client


@pytest.fixture
async def other(reads: fakes.FakeReads, state: State) -> AsyncIterator[httpx.AsyncClient]:
    """A caller of the tenant `other`, which has an instrument of a public one's name."""
    reads.reference.append(fakes.instrument(fakes.GAS, "other"))
    reads.stored.append(fakes.tick(fakes.GAS, fakes.START, "7", "other"))
    async with fakes.client(reads, reads.add_key("other"), state) as client:
        yield client
