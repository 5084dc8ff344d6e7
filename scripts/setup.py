"""Makes `.venv` from `requirements.lock` and fetches Kafka; the second time there is nothing to do.

Needs only Python's standard library, because it runs before anything is installed:  python3 scripts/setup.py
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
LOCK = ROOT / "requirements.lock"
STAMP = VENV / "gridtick-setup"
OLDEST = (3, 11)
ROOM = 4 * 1024**3


def main() -> int:
    """Exit status 1, after a sentence, when a step fails."""
    if sys.version_info < OLDEST:
        return _refuse(f"Python 3.11 or newer is needed; this is {sys.version.split()[0]}. Try: make PYTHON=python3.12")
    try:
        is_new = not _is_done()
        if is_new:
            _install()
        kafka = _start([str(PYTHON), "-m", "local.kafka_jars", "--progress"])
        linter = _start([str(PYTHON), "scripts/npm.py", "linter"])
        if is_new:  # while those wait for the network
            _compile()
            STAMP.write_text(_wanted())
        has_no_kafka, has_no_linter = kafka.wait(), linter.wait()
        if has_no_kafka:
            return _refuse("Kafka could not be fetched; the lines above say why.")
        if has_no_linter:  # to run the system, nobody needs it
            _say("setup: the linter of the OpenAPI document is not there; `make check` fetches it again.")
    except OSError as error:
        return _refuse(f"{error.filename or 'The set-up'}: {error.strerror}.")
    return 0


def _refuse(sentence: str) -> int:
    sys.stderr.write(f"setup: {sentence}\n")
    return 1


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _wanted() -> str:
    """What the environment must have been made from: lock, entry points, this interpreter, this folder."""
    parts = [LOCK.read_bytes(), (ROOT / "pyproject.toml").read_bytes(), sys.version.encode(), bytes(ROOT)]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def _is_done() -> bool:
    return STAMP.exists() and STAMP.read_text() == _wanted() and PYTHON.exists()


def _install() -> None:
    if shutil.disk_usage(ROOT).free < ROOM:
        raise OSError(28, f"less than {ROOM // 1024**3} GiB are free here", str(ROOT))
    began = time.monotonic()
    STAMP.unlink(missing_ok=True)
    _say("setup 1/3: the environment .venv")
    _need(
        _run([sys.executable, "-m", "venv", str(VENV)]),
        "Python's `venv` is missing (on Debian: python3-venv)",
    )
    _say("setup 2/3: the packages of requirements.lock (about 600 MB the first time)")
    _need(_pip_install(), "a package could not be installed; the lines above say why. Is the network there?")
    own = ["install", "--no-deps", "--no-build-isolation", "--no-index", "-q", "-e", str(ROOT)]
    _need(_run([str(PYTHON), "-m", "pip", *own]), "Gridtick itself could not be installed")
    _say(f"setup: packages are there after {time.monotonic() - began:.0f} s")


def _compile() -> None:
    """Bytecode for all packages, on all cores: pip would do it on one, and without it every process starts slowly."""
    packages = [str(path) for path in VENV.glob("lib*/python*/site-packages")]
    # Some packages hold files for other versions of Python, which cannot be compiled: they are not used either.
    _run([str(PYTHON), "-m", "compileall", "-q", "-q", "-j", "0", "-x", "/tests?/", *packages])


def _need(command_worked: bool, otherwise: str) -> None:  # noqa: FBT001
    if not command_worked:
        raise OSError(1, otherwise, "setup")


def _run(command: list[str]) -> bool:
    return _start(command).wait() == 0


def _start(command: list[str]) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(command, cwd=ROOT)


def _pip_install() -> bool:
    """Install the lock. It is complete, so no dependency is looked up; every file must have its hash."""
    command = [
        str(PYTHON),
        "-m",
        "pip",
        "install",
        "--no-deps",
        "--require-hashes",
        "--no-compile",
        "--progress-bar",
        "off",
    ]
    process = subprocess.Popen(
        [*command, "--disable-pip-version-check", "-r", str(LOCK)], cwd=ROOT, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )  # fmt: skip
    said = list(_followed(process, len(re.findall(r"^[A-Za-z0-9]", LOCK.read_text(), re.MULTILINE))))
    if process.wait():
        sys.stderr.write("".join(said[-12:]))
    return process.returncode == 0


def _followed(process: "subprocess.Popen[str]", total: int) -> Iterator[str]:
    """pip's lines, with a short line of progress now and then."""
    done, shown = 0, time.monotonic()
    for line in process.stdout or ():
        yield line
        done += line.startswith("Collecting ")
        if line.startswith("Installing collected"):
            _say("  unpacking …")
        elif line.startswith("Collecting ") and time.monotonic() - shown > 3:
            shown = time.monotonic()
            _say(f"  {done} of at most {total}: {line.strip()[:70]}")


if __name__ == "__main__":
    sys.exit(main())
