"""One system with the usual settings for the files of this folder: each leaves it healthy for the next one."""

from collections.abc import Iterator

import pytest

from tests.e2e.system import System, system


@pytest.fixture(scope="package")
def calm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """The system."""
    with system(tmp_path_factory.mktemp("calm")) as started:
        yield started
