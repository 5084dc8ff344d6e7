"""The image: how it is built, and what the package inside it holds."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path
from typing import Final

import pytest

from tests.ops.compose import OURS, ROOT, ours, services

_PACKAGES: Final = ("api", "db", "gridtick", "local", "pipeline", "service", "verify", "workers")
_DOCKERFILE: Final = (ROOT / "Dockerfile").read_text()
_FINAL: Final = _DOCKERFILE[_DOCKERFILE.rindex("\nFROM ") :]
_LOCKED: Final = re.compile(r"^(?P<name>[a-z0-9._-]+)==[^\\\n]*\\\n(?:    --hash=\S+ ?\\?\n)+", re.MULTILINE)


def _locked(name: str) -> dict[str, str]:
    """What a lock says of each package (versions, markers, hashes)."""
    text = (ROOT / name).read_text().rstrip() + "\n"
    found = list(_LOCKED.finditer(text))
    assert "".join(each[0] for each in found) == text  # nothing stands between
    both: dict[str, str] = {}
    for each in found:
        both[each["name"]] = both.get(each["name"], "") + each[0]
    return both


def test_the_base_is_pinned_by_exact_tag_and_digest() -> None:
    assert re.search(r"^ARG PYTHON=python:3\.\d+\.\d+-slim-\w+@sha256:[0-9a-f]{64}$", _DOCKERFILE, re.MULTILINE)
    assert re.findall(r"^FROM (\S+)", _DOCKERFILE, re.MULTILINE) == ["${PYTHON}", "${PYTHON}"]
    assert "latest" not in _DOCKERFILE
    assert "# syntax" not in _DOCKERFILE  # would fetch a builder that nobody pinned


def test_the_last_stage_is_not_root_and_builds_nothing() -> None:
    users = re.findall(r"^USER (\S+)$", _FINAL, re.MULTILINE)
    assert users == ["10001:10001"]
    assert "--gid 10001" in _FINAL  # Celery refuses a group that has no name
    assert re.search(r"install --directory --owner=10001 --group=10001 \S+ /var/lib/gridtick$", _FINAL, re.MULTILINE)
    assert not re.search(r"\b(pip|apt|apt-get|curl|wget|gcc)\b", _FINAL)


def test_no_secret_is_built_in() -> None:
    assert not re.search(r"PASSWORD|PEPPER|SECRET|TOKEN|DATA_PROC_", _DOCKERFILE)


def test_packages_come_by_hash_and_nothing_is_looked_up() -> None:
    installs = re.findall(r"pip install((?:[^\n]*\\\n)*[^\n]*)", _DOCKERFILE)
    assert len(installs) == 2
    assert all("--no-deps" in each for each in installs)
    assert "--require-hashes" in installs[0]
    assert "requirements-service.lock" in installs[0]
    assert "--no-index" in installs[1]


def test_the_builder_gets_what_it_copies_and_little_else() -> None:
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    let_in = {line[1:] for line in lines if line.startswith("!")}
    named = {"pyproject.toml", "README.md", "LICENSE", "requirements-service.lock"}
    assert let_in == named | set(_PACKAGES)
    assert all((ROOT / name).exists() for name in let_in)
    assert lines.index("*") < min(lines.index(line) for line in lines if line.startswith("!"))


def test_the_image_installs_the_same_versions_as_the_checkout() -> None:
    image, checkout = _locked("requirements-service.lock"), _locked("requirements.lock")
    assert {name for name in image if image[name] != checkout.get(name)} == set()


def test_the_image_has_no_servers_and_no_tools_inside() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    kept_out = {re.split(r"[\[>=<]", each)[0] for name in ("local", "dev") for each in extras[name]} - {"gridtick"}
    image, checkout = _locked("requirements-service.lock"), _locked("requirements.lock")
    assert kept_out & set(image) == {"pyyaml"}  # uvicorn reads it too
    assert kept_out <= set(checkout)
    assert "chdb" in kept_out


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package as the Dockerfile builds it, of the files that .dockerignore lets in."""
    source, out = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    for name in _PACKAGES:
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__", "*.pyc"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    options = ["--no-deps", "--no-build-isolation", "--no-index", "--disable-pip-version-check", "-q"]
    command = [sys.executable, "-m", "pip", "wheel", *options, "-w", str(out), "."]
    done = subprocess.run(command, cwd=source, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return next(out.glob("*.whl"))


def test_the_package_holds_every_file_of_the_program(wheel: Path) -> None:
    """A container runs what is installed: SQL, Lua and migrations must be in it."""
    there = {
        path.relative_to(ROOT).as_posix()
        for name in _PACKAGES
        for path in (ROOT / name).rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }
    assert there - set(zipfile.ZipFile(wheel).namelist()) == set()
    assert {"db/clickhouse/migrations/001_ticks.sql", "db/redis/latest.lua"} < there


def test_the_package_has_the_name_of_the_image_and_the_command_of_the_cli(wheel: Path) -> None:
    assert wheel.name.startswith("gridtick-" + services()["api"]["image"].removeprefix(OURS) + "-")
    with zipfile.ZipFile(wheel) as package:
        entries = next(name for name in package.namelist() if name.endswith("entry_points.txt"))
        assert b"gridtick = gridtick.cli.main:run" in package.read(entries)


def test_the_program_starts_where_the_servers_of_the_embedded_stack_are_not(wheel: Path, tmp_path: Path) -> None:
    """Every process imports all it needs from the package and from what the image installs."""
    zipfile.ZipFile(wheel).extractall(tmp_path)
    commands = [service["command"] for service in ours().values() if service["command"][1:2] == ["-m"]]
    modules = {f"{name}.__main__" if (ROOT / name / "__main__.py").exists() else name for _, _, name, *_ in commands}
    tasks = {f"workers.tasks.{path.stem}" for path in (ROOT / "workers" / "tasks").glob("[a-z]*.py")}
    lines = [f"import {name}" for name in sorted(modules | tasks | {"workers.app", "flower.command"})]
    script = "\n".join([_ONLY_THE_IMAGES_PACKAGES, *lines, _EVERY_COMMAND, _AT_THE_FIRST_CONNECTION])
    kept_out = sorted(set(_locked("requirements.lock")) - set(_locked("requirements-service.lock")))
    environ = {"PATH": os.environ["PATH"], "PYTHONPATH": str(tmp_path), "KEPT_OUT": " ".join(kept_out)}
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=tmp_path,
        env=environ,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr


_EVERY_COMMAND: Final = "from gridtick.cli.main import COMMANDS, build; build(COMMANDS)"
_AT_THE_FIRST_CONNECTION: Final = """
import greenlet
from workers.app import app
from db.postgres.engine import make_engine
app.connection_for_write().get_transport_cls()
make_engine("postgresql://user@nowhere/nothing")
"""
# Refuses the packages of KEPT_OUT (names of distributions), so that an environment with more in it acts as the image.
_ONLY_THE_IMAGES_PACKAGES: Final = """
import os, sys
from importlib.metadata import packages_distributions
kept_out = set(os.environ["KEPT_OUT"].split())
refused = {
    name for name, of in packages_distributions().items()
    if all(each.lower().replace("_", "-").replace(".", "-") in kept_out for each in of)
}
assert "chdb" in refused
class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in refused:
            raise ModuleNotFoundError(f"{name} is not in the image")
sys.meta_path.insert(0, Refuse())
"""
