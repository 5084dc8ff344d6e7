"""Kafka's JARs: resolved by jgo, accepted only with the SHA-256 sums of `kafka-jars.lock`.

python -m local.kafka_jars           fetch what is missing (nothing to do the second time)
python -m local.kafka_jars --lock    write the lock anew from what the coordinates resolve to
"""

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

from local.paths import fetched
from pipeline.errors import DataProcessingError

LOCK: Final = Path(__file__).with_name("kafka-jars.lock")
# slf4j-simple prints the broker's warnings, which would be lost without it.
COORDINATES: Final = ("org.apache.kafka:kafka_2.13:4.1.1", "org.slf4j:slf4j-simple:1.7.36")
_FETCH_SECONDS: Final = 240


def locked() -> dict[str, str]:
    """File name -> SHA-256 of every JAR."""
    lines = (line.split() for line in LOCK.read_text().splitlines() if line and not line.startswith("#"))
    return {name: digest for digest, name in lines}


def folder() -> Path:
    """Where the JARs of this lock lie; another lock has another folder."""
    return fetched() / f"kafka-{hashlib.sha256(LOCK.read_bytes()).hexdigest()[:12]}"


def present() -> bool:
    """Whether the verified JARs are there (they are put there only after all sums were right)."""
    return folder().is_dir()


def ensure() -> Path:
    """The folder with all JARs, fetched if absent. Raises `DataProcessingError`: a wrong sum, no network."""
    if not present():
        fetched().mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=fetched(), prefix="fetch-") as scratch:
            verified = _verified(_resolve(Path(scratch)), Path(scratch) / "verified")
            _put(verified)
    return folder()


def _put(verified: Path) -> None:
    try:
        verified.replace(folder())
    except OSError:  # another process was first
        if not present():
            raise


def _resolve(scratch: Path) -> dict[str, Path]:
    names = ", ".join(f'"{name}"' for name in COORDINATES)
    (scratch / "jgo.toml").write_text(
        f'[environment]\nname = "kafka"\n[dependencies]\ncoordinates = [{names}]\n[settings]\ncache_dir = "found"\n'
    )
    environ = {
        **os.environ,
        "M2_REPO": str(scratch / "repository"),
        "XDG_RUNTIME_DIR": str(scratch),
        "HOME": str(scratch),
    }
    command = [
        sys.executable,
        "-m",
        "jgo",
        "--ignore-config",
        "--system-java",
        "--resolver",
        "python",
        "--links",
        "copy",
        "sync",
    ]
    try:
        done = subprocess.run(
            command,
            cwd=scratch,
            env=environ,
            capture_output=True,
            text=True,
            timeout=_FETCH_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise _unreachable(f"no end after {_FETCH_SECONDS} s") from None
    # With Java jgo tells modules from other JARs, without it it does not: both folders count.
    found = {jar.name: jar for part in ("jars", "modules") for jar in (scratch / "found" / part).glob("*.jar")}
    if done.returncode or not found:
        raise _unreachable((done.stderr or done.stdout).strip().splitlines()[-1:])
    return found


def _unreachable(reason: object) -> DataProcessingError:
    return DataProcessingError(
        "Kafka's JARs could not be fetched. Check the network and run `make setup` again, "
        "or set DATA_PROC_KAFKA_BOOTSTRAP to a Kafka that runs.", "local", {"reason": str(reason)},
    )  # fmt: skip


def _verified(found: dict[str, Path], into: Path) -> Path:
    wanted = locked()
    wrong = sorted(name for name in wanted if name not in found or _sha256(found[name]) != wanted[name])
    if wrong:
        raise DataProcessingError(
            "JARs of Kafka are missing or have another SHA-256 than local/kafka-jars.lock says: "
            "nothing was installed. Run `make setup` again; if it stays so, do not use them.",
            "local", {"jars": wrong},
        )  # fmt: skip
    into.mkdir()
    for name in wanted:
        shutil.copy2(found[name], into / name)
    return into


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def write_lock() -> None:
    """Resolve the coordinates and write what was found as the new lock."""
    with tempfile.TemporaryDirectory() as scratch:
        found = _resolve(Path(scratch))
        head = "# SHA-256 and file name of every JAR of " + " and ".join(COORDINATES)
        lines = [f"{_sha256(path)}  {name}" for name, path in sorted(found.items())]
    LOCK.write_text("\n".join([head, "# made by: python -m local.kafka_jars --lock", *lines]) + "\n")


def _fetch(progress: bool) -> None:  # noqa: FBT001
    began = time.monotonic()
    if progress and not present():
        sys.stdout.write("setup 3/3: Kafka (43 MB)\n")
        sys.stdout.flush()
        ensure()
        sys.stdout.write(f"setup: Kafka is there and verified after {time.monotonic() - began:.0f} s\n")
    ensure()


def main() -> int:
    """Fetch, or write the lock; 1 with a sentence when that fails."""
    options = argparse.ArgumentParser(prog="local.kafka_jars")
    options.add_argument("--lock", action="store_true", help="write the lock anew")
    options.add_argument("--progress", action="store_true", help="say what is fetched")
    given = options.parse_args()
    try:
        if given.lock:
            write_lock()
        else:
            _fetch(given.progress)
    except DataProcessingError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
