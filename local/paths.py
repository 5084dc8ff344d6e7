"""Where the embedded stack keeps what it fetched and what it stores."""

import os
import secrets
from pathlib import Path
from typing import Final

PROGRAM_ROOT: Final = Path(__file__).resolve().parent.parent


def fetched() -> Path:
    """The folder of fetched servers: `.stack` of a checkout, else the user's cache."""
    if (PROGRAM_ROOT / "pyproject.toml").exists():
        return PROGRAM_ROOT / ".stack"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "gridtick"


def private_folder(path: Path) -> Path:
    """`path`, made if absent, open to its owner only, also where it was more open before."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    if path.stat().st_mode & 0o077:
        path.chmod(0o700)
    return path


def secret(data_dir: Path, name: str) -> str:
    """The secret of that name, made once and kept in `<data_dir>/secrets/` with mode 0600."""
    path = private_folder(data_dir / "secrets") / name
    if not path.exists():
        write_secret(path, secrets.token_urlsafe(32))
    return path.read_text().strip()


def write_secret(path: Path, value: str) -> None:
    """Replace the file by one that only its owner can read; it is never there in part."""
    beside = path.with_name(path.name + ".new")
    beside.unlink(missing_ok=True)
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(value + "\n")
    beside.replace(path)
