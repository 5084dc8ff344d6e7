"""Deleting what a stopped stack stored; nothing else in its folder is touched."""

import shutil
from pathlib import Path
from typing import Final

from local.state import DataDirLock

_FOLDERS: Final = ("kafka", "clickhouse", "postgres", "redis", "secrets", "logs", "backfill")
_FILES: Final = ("ports.json", "stack.json")


def clear(data_dir: Path) -> list[str]:
    """The names of what was deleted. Raises `DataProcessingError` while a stack runs there."""
    if not data_dir.is_dir():
        return []
    with DataDirLock(data_dir):
        found = [data_dir / name for name in (*_FOLDERS, *_FILES) if (data_dir / name).exists()]
        for path in found:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    (data_dir / "stack.lock").unlink(missing_ok=True)
    return [path.name for path in found]
