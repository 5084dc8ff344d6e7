"""Which process of the test run takes which file: those of one shared system stay together and in their order."""

from collections.abc import Iterator

import pytest

from tests.e2e.system import System, system

# The longest first, so that the processes end together; planted faults stay in the shared system, so they come last.
_ORDER = ("test_faults", "test_events", "test_history", "test_planted", "test_dead_letters", "test_full_disk")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    ours = [item for item in items if item.get_closest_marker("e2e")]
    for item in ours:
        item.add_marker(pytest.mark.xdist_group("calm" if "calm" in _fixtures(item) else item.path.stem))
    items[:] = [item for item in items if item not in ours] + sorted(ours, key=_place)


def _place(item: pytest.Item) -> int:
    return _ORDER.index(item.path.stem) if item.path.stem in _ORDER else -1


def _fixtures(item: pytest.Item) -> list[str]:
    return item.fixturenames if isinstance(item, pytest.Function) else []


@pytest.fixture(scope="session")
def calm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """A system with the usual settings. Each file leaves it healthy for the next one, but for the last."""
    with system(tmp_path_factory.mktemp("calm")) as started:
        yield started
