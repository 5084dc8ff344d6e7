"""A full disk stops intake with a clear word; once there is room it goes on by itself."""

import shutil
from pathlib import Path

import pytest

from service.settings import MIB
from tests.e2e.system import System
from tests.e2e.tight.disk import BALLAST, ROOM, filled
from tests.pipeline.making import interval, oasis
from tests.polling import until

pytestmark = pytest.mark.e2e


def stopped(running: System) -> bool:
    said = running.gridtick("status")
    return said.returncode == 1 and "intake is stopped" in said.stdout


def test_a_full_disk_stops_intake_and_room_lets_it_go_on(running: System, tmp_path: Path) -> None:
    if shutil.disk_usage(tmp_path).free < BALLAST + ROOM:
        pytest.skip(f"the disk has less than {(BALLAST + ROOM) // MIB} MiB to fill")
    document = tmp_path / "prices.csv"
    document.write_bytes(oasis(*interval()))
    log = running.data_dir / "logs" / "bridge.log"
    assert "intake is stopped" not in log.read_text()
    with filled(tmp_path):
        until(lambda: "intake is stopped" in log.read_text(), 30, "the bridge says that intake is stopped")
        assert stopped(running)
        assert running.gridtick("send", str(document)).returncode == 0  # Kafka keeps it
        lag = next(line for line in running.gridtick("status").stdout.splitlines() if "lag live" in line)
        assert lag.split()[2:4] == ["1", "messages"]
    until(lambda: "intake goes on" in log.read_text(), 30, "the bridge goes on")
    assert running.gridtick("send", str(document), "--wait").returncode == 0
    proved = running.gridtick("verify")
    assert proved.returncode == 0, proved.stdout
    assert not stopped(running)
