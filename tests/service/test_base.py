import asyncio
import os
import signal

import pytest

from pipeline.errors import DataProcessingError
from service.base import AsyncService, serve
from service.settings import load


class Recorder(AsyncService):
    name = "bridge"

    def __init__(self) -> None:
        super().__init__(load({}))
        self.seen: list[str] = []
        self.running = asyncio.Event()

    async def startup(self) -> None:
        self.seen.append("startup")

    async def run(self) -> None:
        self.running.set()
        await self.stopping.wait()
        self.seen.append("run ended")

    async def shutdown(self) -> None:
        self.seen.append("shutdown")


class Stubborn(Recorder):
    async def run(self) -> None:
        self.running.set()
        await asyncio.Event().wait()


async def _signalled(service: Recorder, number: signal.Signals, grace: float = 5.0) -> None:
    served = asyncio.ensure_future(serve(service, grace))
    await asyncio.wait_for(service.running.wait(), 5)
    os.kill(os.getpid(), number)
    await asyncio.wait_for(served, 5)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_ends_run_then_shuts_down(number: signal.Signals) -> None:
    service = Recorder()
    await _signalled(service, number)
    assert service.seen == ["startup", "run ended", "shutdown"]


async def test_a_run_that_does_not_end_is_cancelled_after_the_grace() -> None:
    service = Stubborn()
    await _signalled(service, signal.SIGTERM, grace=0.05)
    assert service.seen == ["startup", "shutdown"]


async def test_a_second_signal_does_not_wait_for_the_grace() -> None:
    service = Stubborn()
    served = asyncio.ensure_future(serve(service, 60))
    await asyncio.wait_for(service.running.wait(), 5)
    os.kill(os.getpid(), signal.SIGTERM)
    await asyncio.wait_for(service.stopping.wait(), 5)
    os.kill(os.getpid(), signal.SIGTERM)
    await asyncio.wait_for(served, 5)
    assert service.seen == ["startup", "shutdown"]


async def test_a_failed_startup_still_shuts_down_and_is_raised() -> None:
    class Failing(Recorder):
        async def startup(self) -> None:
            raise DataProcessingError("no server answers. Start it.", "api")

    service = Failing()
    with pytest.raises(DataProcessingError, match="no server answers"):
        await serve(service)
    assert service.seen == ["shutdown"]


async def test_an_error_of_run_is_raised_after_shutdown() -> None:
    class Breaking(Recorder):
        async def run(self) -> None:
            raise DataProcessingError("broke", "bridge")

    service = Breaking()
    with pytest.raises(DataProcessingError, match="broke"):
        await serve(service)
    assert service.seen == ["startup", "shutdown"]


async def test_health_is_not_ready_once_stopping() -> None:
    service = Recorder()
    assert (await service.health()).ready
    service.stop()
    assert not (await service.health()).ready
