from collections.abc import AsyncIterator

import httpx
import pytest

from tests.api import fakes


@pytest.fixture
def reads() -> fakes.FakeReads:
    return fakes.FakeReads()


@pytest.fixture
async def http(reads: fakes.FakeReads) -> AsyncIterator[httpx.AsyncClient]:
    """A caller of the public tenant with the role viewer."""
    async with fakes.client(reads, reads.add_key()) as client:
        yield client
