"""Looks at the machine and says what would keep Gridtick from running, and what to do about it."""

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psutil

from local import kafka, kafka_jars, ports, postgres_install, redis, stack, state
from pipeline.errors import DataProcessingError
from service.settings import Settings, load

_DISK: Final = 2 * 1024**3
_MEMORY: Final = 3 * 1024**3


@dataclass(frozen=True, slots=True)
class Finding:
    """One look: `fix` says what to do, and is empty where nothing is to be done."""

    name: str
    said: str
    fix: str = ""

    @property
    def fine(self) -> bool:
        return not self.fix


def findings(data_dir: Path) -> Iterator[Finding]:
    """Every look, in the order in which a start would fail."""
    yield _python()
    yield _room(data_dir)
    yield _memory()
    for name, look in (
        ("Java", _java),
        ("Kafka's JARs", _jars),
        ("PostgreSQL", _postgres),
        ("Redis", _redis),
    ):
        yield _guarded(name, look)
    settings = _guarded("settings", lambda: f"{len(_given())} DATA_PROC_* variables are set")
    yield settings
    if settings.fine:
        yield from _addresses(data_dir, load())


def _python() -> Finding:
    version = ".".join(str(part) for part in sys.version_info[:3])
    return Finding("Python", version, "" if sys.version_info >= (3, 11) else "Install Python 3.11 or newer.")


def _room(data_dir: Path) -> Finding:
    above = next(path for path in (data_dir, *data_dir.parents) if path.exists())
    free = shutil.disk_usage(above).free
    low = "" if free >= _DISK else "Free 2 GiB or choose another --data-dir."
    closed = "" if os.access(above, os.W_OK) else f"{above} cannot be written to: choose another --data-dir."
    return Finding("disk", f"{free / 1024**3:.1f} GiB free for {data_dir}", low or closed)


def _memory() -> Finding:
    free = psutil.virtual_memory().available
    return Finding(
        "memory",
        f"{free / 1024**3:.1f} GiB free",
        "" if free >= _MEMORY else "Close something: 3 GiB are needed.",
    )


def _guarded(name: str, look: Callable[[], str]) -> Finding:
    try:
        return Finding(name, look())
    except DataProcessingError as error:
        return Finding(name, "not usable", error.message)


def _java() -> str:
    found = kafka.java()
    return f"{kafka.java_version(found)} at {found}"


def _jars() -> str:
    if not kafka_jars.present():
        raise DataProcessingError("Kafka's JARs are not here yet: run `make setup` (needs the network once).", "local")
    return f"{len(kafka_jars.locked())} verified in {kafka_jars.folder()}"


def _postgres() -> str:
    return ", ".join(f"{postgres_install.major(place)} in {place}" for place in postgres_install.installations())


def _redis() -> str:
    return str(redis.binary())


def _given() -> list[str]:
    load()
    return [name for name in os.environ if name.startswith("DATA_PROC_")]


def _addresses(data_dir: Path, settings: Settings) -> Iterator[Finding]:
    running = state.read(data_dir)
    if running:
        yield Finding("stack", f"process {running.pid} runs on {data_dir}")
        settings = load({**running.variables(), **{k: v for k, v in os.environ.items() if k.startswith("DATA_PROC_")}})
    else:
        yield _port("API", settings.api.port, stack.API_PORT)
        yield _port("Flower", settings.flower.port, stack.FLOWER_PORT)
    known = {**(running.variables() if running else {}), **os.environ}
    for name, answers in stack.ANSWERING.items():
        if name in known:
            fine = answers(known[name])
            yield Finding(
                name,
                "answers" if fine else "does not answer",
                "" if fine else f"Start that server, or unset {name}.",
            )


def _port(name: str, port: int, variable: str) -> Finding:
    if ports.is_free(port):
        return Finding(f"port of {name}", f"{port} is free")
    if variable in os.environ:
        return Finding(f"port of {name}", f"{port} is in use", f"Stop what listens there, or unset {variable}.")
    return Finding(f"port of {name}", f"{port} is in use: `gridtick up` takes another one")
