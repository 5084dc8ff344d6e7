"""The client as a distribution of its own: built without a network, and run with nothing but what it names."""

import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from importlib.metadata import distribution, requires
from pathlib import Path
from typing import Any, Final

import pytest

ROOT: Final = Path(__file__).parents[2]
FOLDER: Final = ROOT / "clients" / "python"
NOT_INSIDE: Final = ("api", "db", "local", "pipeline", "service", "verify", "workers", "gridtick.cli")
ASKED: Final = """
import sys
import httpx
import gridtick.client as client
answer = httpx.MockTransport(lambda _: httpx.Response(200, json={"tenant": "acme"}))
made = client.Client("http://api.test", "gt_live_x", transport=answer)
print(made.me()["tenant"])
try:
    made.ticks("A").to_polars()
except client.NotInstalled as error:
    print(error)
print(sorted(name for name in sys.modules if name.partition(".")[0] in {"polars", "pandas", "pyarrow", "numpy"}))
print([name for name in sys.argv[1:] if __import__("importlib.util").util.find_spec(name.partition(".")[0])
       and name != "gridtick.cli"])
try:
    import gridtick.cli
except ModuleNotFoundError:
    print("alone")
"""


def _project(path: Path) -> dict[str, Any]:
    return tomllib.loads((path / "pyproject.toml").read_text())


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built in a copy, which holds the client and nothing else of this tree."""
    source, out = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    litter = shutil.ignore_patterns("__pycache__", "*.pyc", "*.egg-info", "build")
    shutil.copytree(FOLDER, source / "clients" / "python", ignore=litter)
    shutil.copytree(ROOT / "gridtick" / "client", source / "gridtick" / "client", ignore=litter)
    shutil.copy(ROOT / "gridtick" / "__init__.py", source / "gridtick")
    _pip("wheel", "--no-build-isolation", "-w", str(out), str(source / "clients" / "python"))
    return next(out.glob("gridtick_client-*.whl"))


def _pip(*arguments: str) -> None:
    options = ["--no-deps", "--no-index", "--disable-pip-version-check", "-q"]
    command = [sys.executable, "-m", "pip", arguments[0], *options, *arguments[1:]]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr


def test_it_holds_every_file_of_the_client_and_no_other(wheel: Path) -> None:
    there = {path.relative_to(ROOT).as_posix() for path in (ROOT / "gridtick" / "client").rglob("*") if path.is_file()}
    expected = {name for name in there if not name.endswith(".pyc")} | {"gridtick/__init__.py"}
    held = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    assert held == expected
    assert "gridtick/client/py.typed" in held


def test_it_runs_with_what_it_names_alone(wheel: Path, tmp_path: Path) -> None:
    _pip("install", "--target", str(tmp_path), str(wheel))
    for name in _needed({_name(each) for each in _project(FOLDER)["project"]["dependencies"]}):
        _link(name, tmp_path)
    command = [
        sys.executable,
        "-I",
        "-S",
        "-c",
        f"import sys; sys.path.append({str(tmp_path)!r})\n{ASKED}",
        *NOT_INSIDE,
    ]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    first, second, *others = done.stdout.splitlines()
    assert first == "acme"
    assert "needs pyarrow" in second
    assert others == ["[]", "[]", "alone"]


def _name(requirement: str) -> str:
    found = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert found is not None
    return found[0]


def _needed(names: set[str]) -> set[str]:
    """These distributions and what they need, without their extras."""
    found: set[str] = set()
    while names := names - found:
        found |= names
        told = [each for name in names for each in requires(name) or () if "extra ==" not in each]
        names = {_name(each) for each in told if "python_version" not in each}
    return found


def _link(name: str, folder: Path) -> None:
    """Makes an installed distribution visible there."""
    found = distribution(name)
    for top in {str(file).partition("/")[0] for file in found.files or ()}:
        if not top.startswith("..") and not (folder / top).exists():
            (folder / top).symlink_to(Path(str(found.locate_file(top))))


def test_both_distributions_say_the_same_of_it() -> None:
    own, whole = _project(FOLDER)["project"], _project(ROOT)["project"]
    assert own["version"] == whole["version"]
    assert own["requires-python"] == whole["requires-python"]
    assert set(own["dependencies"]) <= set(whole["dependencies"])
    packages = {
        path.parent.relative_to(ROOT).as_posix() for path in (ROOT / "gridtick" / "client").rglob("__init__.py")
    }
    assert {name.replace("/", ".") for name in packages} | {"gridtick"} == set(
        _project(FOLDER)["tool"]["setuptools"]["packages"]
    )
