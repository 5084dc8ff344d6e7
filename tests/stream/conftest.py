import pytest

from tests.api import fakes
from tests.api.live.conftest import world

__all__ = ["reads", "world"]


@pytest.fixture
def reads() -> fakes.FakeReads:
    return fakes.FakeReads()
