"""Programs that users could pick instead, run on the same topic where they are installed."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from local.bench.run import Outcome
from pipeline.errors import DataProcessingError

_TOOK: Final = re.compile(rb" in ([0-9.]+)s ")
_FLINK_OPENS: Final = ("java.base/java.util", "java.base/java.lang", "java.base/java.time")


@dataclass(frozen=True, slots=True)
class Peer:
    """A command that reads the topic to its end and prints `… N in S.SSs = …`."""

    name: str
    command: Sequence[str]
    environ: Mapping[str, str]
    cwd: Path


def installed(programs: Path | None, python: Path | None, flink: Path | None) -> list[str]:
    """Which peers can run with what the user named."""
    names = ["bytewax"] if programs and python and (programs / "bytewax_ohlc.py").exists() else []
    return [*names, *(["flink"] if flink and (flink / "out").exists() else [])]


def made(
    name: str, topic: str, bootstrap: str, ticks: int, programs: Path | None, python: Path | None, flink: Path | None
) -> Peer:
    """The command of an installed peer over one topic."""
    if name == "bytewax":
        assert programs is not None
        given = {"BS": bootstrap, "TOPIC": topic, "N": str(ticks)}
        return Peer(name, [str(python), "-m", "bytewax.run", "bytewax_ohlc:flow"], given, programs)
    assert flink is not None
    opens = [f"--add-opens={module}=ALL-UNNAMED" for module in _FLINK_OPENS]
    quiet = ["-Dorg.slf4j.simpleLogger.defaultLogLevel=error", "-Xmx4g", "-cp", "out:libs/*"]
    return Peer(name, ["java", *opens, *quiet, "FlinkOhlc", bootstrap, topic, str(ticks), "2"], {}, flink)


def flink_bars(topic: str) -> str:
    """The topic that Flink's job writes its bars to: it must be there."""
    return f"{topic}-flink-bars"


def measure(peer: Peer) -> Outcome:
    """One run of a peer: the seconds that it prints itself, the CPU of all its processes."""
    environ = {**os.environ, **peer.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    with subprocess.Popen(
        peer.command, cwd=peer.cwd, env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as process:
        assert process.stdout is not None
        said = process.stdout.read()
        _, _, used = os.wait4(process.pid, 0)
        process.returncode = 0
    took = list(_seconds(said))
    if not took:
        raise DataProcessingError(f"{peer.name} did not say how long it took: {said[-500:]!r}", "cli")
    resident = used.ru_maxrss / (1024 if sys.platform == "linux" else 1024 * 1024)
    cpu = used.ru_utime + used.ru_stime
    return Outcome(max(took), cpu, 0.0, resident, {peer.name: cpu})


def _seconds(said: bytes) -> Iterator[float]:
    return (float(found) for found in _TOOK.findall(said))
