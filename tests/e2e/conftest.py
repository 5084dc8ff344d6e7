"""A system that several files share, where one process runs them: each leaves it healthy for the next one."""

from collections.abc import Iterator

import pytest

from tests.e2e.system import System, system


@pytest.fixture(scope="session")
def calm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """A system with the usual settings."""
    with system(tmp_path_factory.mktemp("calm")) as started:
        yield started
