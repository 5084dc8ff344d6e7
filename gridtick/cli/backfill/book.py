"""The folder of the journals: one file a job, whole at any time, and written by one process at a time."""

import fcntl
import os
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from gridtick.cli.backfill.journal import Journal
from local.paths import private_folder
from pipeline.errors import DataProcessingError


class Book:
    """The journals in `<data folder>/backfill`; those of one job in `<job>.json`, behind a lock in `<job>.lock`."""

    def __init__(self, data_dir: Path) -> None:
        self._folder = data_dir / "backfill"
        try:
            private_folder(self._folder)
        except OSError as error:
            raise DataProcessingError(
                f"{self._folder} cannot be used: {error.strerror}. Choose another --data-dir.", "cli"
            ) from None

    def path(self, job: str) -> Path:
        return self._folder / f"{job}.json"

    def read(self, job: str) -> Journal | None:
        """The job's journal; nothing where it was never begun."""
        path = self.path(job)
        return _decoded(path) if path.exists() else None

    def others(self, job: str) -> Iterator[Journal]:
        """The journals of all other jobs."""
        for path in sorted(self._folder.glob("*.json")):
            if path != self.path(job):
                yield _decoded(path)

    def write(self, journal: Journal) -> None:
        """Replaces the job's journal at once; after a power failure, too, it is there as a whole."""
        path = self.path(journal.asked.job)
        try:
            _replaced(path, msgspec.json.format(msgspec.json.encode(journal), indent=1))
        except OSError as error:
            raise DataProcessingError(
                f"{path} cannot be written: {error.strerror}. Make room for it; the same command goes on.", "cli"
            ) from None

    @contextmanager
    def locked(self, job: str) -> Generator[None]:
        """Keeps all others away from the job; a process that dies lets go of it."""
        handle = os.open(self._folder / f"{job}.lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise DataProcessingError(f"backfill {job} is being sent by another process: let it end", "cli") from None
        else:
            yield
        finally:
            os.close(handle)


def _replaced(path: Path, content: bytes) -> None:
    beside = path.with_suffix(".new")
    with beside.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _decoded(path: Path) -> Journal:
    try:
        return msgspec.json.decode(path.read_bytes(), type=Journal)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise DataProcessingError(
            f"{path} is no journal of a backfill: {error}. Put its content right; without it nobody knows what of the "
            "job has been sent.",
            "cli",
        ) from None
