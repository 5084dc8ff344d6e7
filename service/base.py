"""What every long-running part shares: startup, run and shutdown, with health, metrics and settings."""

import asyncio
import contextlib
import logging
import signal
from collections.abc import Generator
from dataclasses import dataclass
from typing import ClassVar

import uvloop

from pipeline.errors import DataProcessingError
from service import logs
from service.metrics import Metrics, Part
from service.settings import Settings, load

log = logging.getLogger(__name__)

GRACE_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class Health:
    """Ready, or not ready with the reasons as sentences."""

    ready: bool
    reasons: tuple[str, ...] = ()


class AsyncService:
    """One long-running part.

    `startup` opens what is needed and raises `DataProcessingError` where it cannot; `run` works until
    `self.stopping` is set and then returns; `shutdown` closes, and is called after a failed `startup` too.
    """

    name: ClassVar[Part]

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.metrics = Metrics(self.name)
        self.stopping = asyncio.Event()

    async def startup(self) -> None:
        """Opens connections and checks what they lead to."""

    async def run(self) -> None:
        """Works until asked to stop."""
        await self.stopping.wait()

    async def shutdown(self) -> None:
        """Closes what `startup` opened."""

    async def health(self) -> Health:
        """Whether this part can do its work now."""
        return Health(ready=not self.stopping.is_set())

    def stop(self) -> None:
        """Asks `run` to return."""
        self.stopping.set()


async def serve(service: AsyncService, grace: float = GRACE_SECONDS) -> None:
    """Runs a service until SIGTERM or SIGINT; a second signal, or `grace` seconds, ends `run` at once.

    An error of `startup` or `run` is raised after `shutdown`.
    """
    with _stopped_by_signals(service) as hurry:
        try:
            await service.startup()
            log.info("started", extra={"service": service.name})
            await _run(service, hurry, grace)
        finally:
            service.stop()
            await service.shutdown()
            log.info("stopped", extra={"service": service.name})


def main(service_type: type[AsyncService]) -> int:
    """The body of a `__main__`: settings, logs, `serve`. Exit status 1, after a sentence, where it failed."""
    try:
        settings = load()
        logs.configure(settings.core.log_level, logs.secrets_of(settings))
        uvloop.run(_made_and_served(service_type, settings))
    except DataProcessingError as error:
        logs.fallback()
        log.error(str(error))
        return 1
    return 0


async def _made_and_served(service_type: type[AsyncService], settings: Settings) -> None:
    await serve(service_type(settings))


async def _run(service: AsyncService, hurry: asyncio.Event, grace: float) -> None:
    running = asyncio.ensure_future(service.run())
    asked = asyncio.ensure_future(service.stopping.wait())
    hurried = asyncio.ensure_future(hurry.wait())
    try:
        await asyncio.wait({running, asked}, return_when=asyncio.FIRST_COMPLETED)
        await asyncio.wait({running, hurried}, timeout=grace, return_when=asyncio.FIRST_COMPLETED)
        if not running.done():
            log.warning("did not stop in time, cancelled", extra={"service": service.name})
            running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running
    finally:
        for each in (running, asked, hurried):
            each.cancel()


@contextlib.contextmanager
def _stopped_by_signals(service: AsyncService) -> Generator[asyncio.Event]:
    """SIGTERM and SIGINT ask the service to stop; the event is set by the second of them."""
    loop = asyncio.get_running_loop()
    hurry = asyncio.Event()

    def asked() -> None:
        (hurry.set if service.stopping.is_set() else service.stop)()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, asked)
    try:
        yield hurry
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)
