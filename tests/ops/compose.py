"""docker-compose.yml as Compose reads it: anchors resolved, variables put in."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

ROOT: Final = Path(__file__).resolve().parents[2]
FILE: Final = ROOT / "docker-compose.yml"
OURS: Final = "gridtick:"
PASSWORD: Final = "0123456789abcdef" * 4  # as ops/env.sh makes them
_VARIABLE: Final = re.compile(r"\$(?:(?P<plain>\$)|\{(?P<name>[A-Z_]+)(?:(?P<kind>:[-?])(?P<rest>[^}]*))?\})")


@dataclass(frozen=True, slots=True)
class Variable:
    """One `${…}`: `kind` is `:?` where it must be set, `:-` where `rest` is its default."""

    name: str
    kind: str
    rest: str


def raw() -> dict[str, Any]:
    """The file with its variables as they are written."""
    return yaml.safe_load(FILE.read_text())


def variables() -> Iterator[Variable]:
    """Every variable that the file names."""
    for found in _VARIABLE.finditer(FILE.read_text()):
        if not found["plain"]:
            yield Variable(found["name"], found["kind"] or "", found["rest"] or "")


def project(given: Mapping[str, str] | None = None) -> dict[str, Any]:
    """The file with its variables put in: those given, sample passwords, the defaults."""
    return _filled(raw(), given or {})


def services(given: Mapping[str, str] | None = None) -> dict[str, dict[str, Any]]:
    """The services by name."""
    return project(given)["services"]


def ours() -> dict[str, dict[str, Any]]:
    """The services of our own image."""
    return {name: service for name, service in services().items() if service["image"].startswith(OURS)}


def environment(service: Mapping[str, Any]) -> dict[str, str]:
    """A service's environment as its process sees it."""
    return {name: str(value) for name, value in service.get("environment", {}).items()}


def _filled(value: Any, given: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        return {key: _filled(each, given) for key, each in value.items()}
    if isinstance(value, list):
        return [_filled(each, given) for each in value]
    return _VARIABLE.sub(lambda found: _put_in(found, given), value) if isinstance(value, str) else value


def _put_in(found: re.Match[str], given: Mapping[str, str]) -> str:
    if found["plain"]:
        return "$"
    default = found["rest"] if found["kind"] == ":-" else PASSWORD
    return given.get(found["name"], default)
