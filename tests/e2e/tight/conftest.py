"""One system with bounds that the tests of this folder reach: small batches, a topic that is off, a disk to fill.

Dead letters come first: their tests count all that there are.
"""

import shutil
from collections.abc import Iterator

import pytest

from service.settings import MIB
from tests.e2e.system import System, system
from tests.e2e.tight.disk import ROOM


@pytest.fixture(scope="package")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """The system. Intake stops once the disk has `ROOM` bytes less than now."""
    folder = tmp_path_factory.mktemp("tight")
    reserve = max(0, shutil.disk_usage(folder).free - ROOM) // MIB
    bounds = {
        "DATA_PROC_BRIDGE_BATCH_MESSAGES": "50",
        "DATA_PROC_BRIDGE_DISK_RESERVE_MIB": str(reserve),
        "DATA_PROC_KAFKA_BARS_TOPIC": "",
    }
    with system(folder, **bounds) as started:
        yield started
