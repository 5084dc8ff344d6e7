"""The reference as the routes read and write it, from lists."""

import polars as pl

from api.reads.ports import Named
from db.postgres.changes import By
from db.postgres.reference import NAMES
from db.reference.keeper import State as ReferenceState
from db.reference.loading import Loaded
from db.reference.loading import Mode as LoadMode
from db.reference.snapshot import INSTRUMENTS, Snapshot, Versions
from db.reference.snapshot import NAMES as NAMED
from pipeline.reference.changes import changes
from pipeline.reference.reading import Given
from pipeline.schema import REFERENCE
from tests.tables import empty_tables


class FakeReference:
    """That part of `tests.api.fakes.FakeReads`."""

    def __init__(self) -> None:
        super().__init__()
        self.version = 1
        self.reference: list[dict[str, object]] = []
        self.reference_held: list[dict[str, object]] | None = None  # shown to who asks for nothing fresh
        self.names: dict[tuple[str, str], Named] = {}
        self.tables = empty_tables()
        self.old_reference: str | None = None
        self.loaded: list[tuple[Given, LoadMode]] = []
        self.loaded_by: list[By] = []

    async def snapshot(self, *, fresh: bool = False) -> Snapshot:
        rows = self.reference if fresh or self.reference_held is None else self.reference_held
        frame = pl.DataFrame(rows, schema=dict(REFERENCE))
        names = [(*key, *each) for key, of in self.names.items() for each in of]
        named = pl.DataFrame(names, schema=dict(NAMES), orient="row")
        return Snapshot(Versions(self.version, self.version), {**self.tables, INSTRUMENTS: frame, NAMED: named})

    async def reference_state(self) -> ReferenceState:
        return ReferenceState(self.version, 0.25, self.old_reference)

    async def load_reference(self, given: Given, mode: LoadMode, by: By) -> Loaded:
        self.loaded.append((given, mode))
        self.loaded_by.append(by)
        found = changes(given.table, self.tables[given.table.name], given.rows, replace=mode.replace)
        return Loaded([found], self.version + 1)
