"""The reference data that come with the program, brought into PostgreSQL when their files are new or changed."""

from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from db.reference.loading import Mode, Valued, load
from pipeline.reference import reading
from pipeline.reference.reading import Given

DATA: Final = Path(__file__).parent / "data"
_KNOWN: Final = text("SELECT name, digest FROM reference_files")
_NOTE: Final = text("""
INSERT INTO reference_files (name, digest) VALUES (:name, :digest)
ON CONFLICT (name) DO UPDATE SET digest = excluded.digest
""")


async def load_own(engine: AsyncEngine, valued: Valued) -> int:
    """Loads the files that changed since they were loaded last; the number of rows that changed.

    What somebody else has written stays, and so do all rows of its key, whatever their validity; rows that the program
    brought and does not hold any more are removed. Safe to repeat: a digest is noted after the rows are there.
    """
    new = await _new(engine)
    if not new:
        return 0
    loaded = await load(engine, [read(path) for path in new], valued, Mode(replace=True, own=True))
    async with engine.begin() as connection:
        await connection.execute(_NOTE, [{"name": path.stem, "digest": _digest(path)} for path in new])
    return sum(each.number for each in loaded.changes)


def read(path: Path) -> Given:
    """A file of the program, which is good. Raises `DataProcessingError` where it is not."""
    given = reading.read(path.read_bytes(), path.stem)
    reading.require_good(given)
    return given


async def _new(engine: AsyncEngine) -> Sequence[Path]:
    async with engine.connect() as connection:
        known = {(name, digest) for name, digest in (await connection.execute(_KNOWN)).all()}
    return [path for path in sorted(DATA.glob("*.csv")) if (path.stem, _digest(path)) not in known]


def _digest(path: Path) -> str:
    return sha256(path.read_bytes()).hexdigest()
