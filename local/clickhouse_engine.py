"""The ClickHouse engine of the `chdb` package behind a bounded pool of connections."""

import errno
import queue
import re
import tempfile
import threading
import time
from collections.abc import Generator, Iterable, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Final

import chdb

_CODE: Final = re.compile(rb"Code:\s*(\d+)")
_ERRORS: Final = (RuntimeError, UnicodeDecodeError, chdb.ChdbError)


class EngineError(Exception):
    """A refusal of the engine: `code` is ClickHouse's number, `text` its words (any bytes)."""

    def __init__(self, text: bytes) -> None:
        super().__init__(text.decode(errors="backslashreplace"))
        found = _CODE.search(text)
        self.code = int(found[1]) if found else 1002
        self.text = text


def _refusal(error: Exception) -> EngineError:
    """The engine's text as it was; a text that is no UTF-8 arrives as the bytes that could not be decoded."""
    if isinstance(error, UnicodeDecodeError):
        return EngineError(error.object)
    return EngineError(str(error).encode())


def _quoted(value: str) -> str:
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _spool(path: str) -> Path:
    """Beside the engine's folder: inserts lie there while they are read. What a killed server left goes."""
    folder = Path(path).absolute().parent / "spool"
    folder.mkdir(mode=0o700, exist_ok=True)
    for left in folder.iterdir():
        left.unlink()
    return folder


def _write(body: IO[bytes], chunks: Iterable[bytes]) -> None:
    try:
        for chunk in chunks:
            body.write(chunk)
        body.flush()
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        raise EngineError(
            b"Code: 243. DB::Exception: Cannot reserve space: the disk is full. (NOT_ENOUGH_SPACE)"
        ) from None


class EngineConnection:
    """One connection, for one thread at a time. It keeps the settings of its last query: most are equal."""

    def __init__(self, path: str, spool: Path) -> None:
        self._path = path
        self._spool = spool
        self._connection: Any = chdb.connect(path)
        self._database = "default"
        self._settings: dict[str, str] = {}

    def prepare(self, database: str, settings: Mapping[str, str]) -> None:
        """Make the session exactly so: this database, these settings, every other one at its default."""
        if database != self._database:
            self._run(f"USE `{database.replace('`', '')}`")
            self._database = database
        if settings != self._settings:
            self._set(settings)

    def _set(self, settings: Mapping[str, str]) -> None:
        changes = [f"{k} = {_quoted(v)}" for k, v in settings.items() if self._settings.get(k) != v]
        changes += [f"{name} = DEFAULT" for name in self._settings.keys() - settings.keys()]
        try:
            self._run("SET " + ", ".join(changes))
            self._settings = dict(settings)
        except EngineError:
            self._renew()
            raise

    def _renew(self) -> None:
        """After a refused setting nobody knows which ones hold: begin with a fresh session."""
        old, self._connection = self._connection, chdb.connect(self._path)
        old.close()
        self._database, self._settings = "default", {}

    def select(self, sql: bytes, default_format: str, parameters: Mapping[str, str]) -> Any:
        """Run any statement but an insert with data; the engine's result (`get_memview()`, `rows_read()`)."""
        return self._run(sql, default_format, parameters)

    def insert(self, head: str, data_format: str, chunks: Iterable[bytes]) -> Any:
        """Run `INSERT INTO …` over the bytes; the engine's result. Nothing of a body that is cut off is stored."""
        # By way of a file: the engine's streaming insert answers well to a block that it could not store.
        with tempfile.NamedTemporaryFile(dir=self._spool, prefix="insert-") as body:
            _write(body, chunks)
            return self._run(f"{head} FROM INFILE {_quoted(body.name)} FORMAT {data_format}")

    def close(self) -> None:
        self._connection.close()

    def _run(
        self,
        sql: str | bytes,
        default_format: str = "TabSeparated",
        parameters: Mapping[str, str] | None = None,
    ) -> Any:
        try:
            return self._connection.query(sql, default_format, params=dict(parameters or {}))
        except _ERRORS as error:
            raise _refusal(error) from None


class EnginePool:
    """At most `size` connections side by side; the one used last is used first."""

    def __init__(self, path: str, size: int) -> None:
        self._path = path
        self._spool = _spool(path)
        self._size = size
        self._opening = threading.Lock()
        self._idle: queue.LifoQueue[EngineConnection | None] = queue.LifoQueue()
        for _ in range(size):
            self._idle.put(None)

    @contextmanager
    def connection(self) -> Generator[EngineConnection]:
        """A connection for one statement; waits while all are busy."""
        held = self._idle.get()
        try:
            if held is None:
                with self._opening:
                    held = EngineConnection(self._path, self._spool)
            yield held
        finally:
            self._idle.put(held)

    def close(self, within: float) -> None:
        """Wait for running statements, at most `within` seconds, and close; nothing runs afterwards.

        The engine stops with its last connection.
        """
        deadline = time.monotonic() + within
        for _ in range(self._size):
            try:
                held = self._idle.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                return
            if held is not None:
                held.close()
