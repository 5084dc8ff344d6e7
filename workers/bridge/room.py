"""Whether there is room for more: a full disk stops intake before it stops the store."""

from collections.abc import Callable
from contextlib import suppress
from typing import Final

from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError

from db.clickhouse.client import connect
from db.clickhouse.room import free_bytes
from pipeline.errors import DataProcessingError
from service.settings import MIB, Settings

LOOK_S: Final = 5.0
ANSWER_S: Final = 2
_MORE: Final = 64 * MIB  # than the reserve must be free before what was stopped goes on
_HISTORY: Final = 2  # history stops earlier, and leaves the rest to live prices
_UNKNOWN: Final = (ClickHouseError, DataProcessingError, OSError)


class DiskRoom:
    """Asks `free` (bytes) every few seconds. Where it cannot be told, the last answer stands."""

    def __init__(self, free: Callable[[], int], reserve: int, clock: Callable[[], float]) -> None:
        self._free, self._reserve, self._clock = free, reserve, clock
        self._look_at = float("-inf")
        self._lacking = ""

    def lacking(self) -> str:
        """Why nothing more may be taken in, in words; empty while there is room."""
        if self._reserve and self._clock() >= self._look_at:
            self._look_at = self._clock() + LOOK_S
            with suppress(*_UNKNOWN):
                self._judge(self._free())
        return self._lacking

    def _judge(self, free: int) -> None:
        if free >= self._reserve + (_MORE if self._lacking else 0):
            self._lacking = ""
            return
        self._lacking = (
            f"ClickHouse's disk has {free // MIB} MiB left and {self._reserve // MIB} MiB are kept free: intake is "
            "stopped. Nothing is lost: it goes on by itself once there is room. Free some, or give it a larger disk."
        )


class ClickHouseDisk:
    """Bytes free on ClickHouse's disks; connects at first use, and again after a failure."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings.clickhouse
        self._client: Client | None = None

    def __call__(self) -> int:
        try:
            self._client = self._client or connect(self._settings, patience_s=ANSWER_S)
            return free_bytes(self._client)
        except _UNKNOWN:
            self._client = None
            raise


def disk_room(settings: Settings, free: Callable[[], int], clock: Callable[[], float]) -> DiskRoom:
    """The room that the lane of these settings needs."""
    share = _HISTORY if settings.core.lane == "backfill" else 1
    return DiskRoom(free, share * settings.bridge.disk_reserve_mib * MIB, clock)
