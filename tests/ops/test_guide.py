"""docs/containers.md names only what there is."""

import re
from typing import Final

from service.settings import described
from tests.ops.compose import ROOT, services, variables

_TEXT: Final = (ROOT / "docs" / "containers.md").read_text()
_SERVICES: Final = services()


def test_variables_and_settings_exist() -> None:
    assert set(re.findall(r"GRIDTICK_[A-Z_]+", _TEXT)) <= {variable.name for variable in variables()}
    settings = {name for name, _, _ in described()}
    named = set(re.findall(r"DATA_PROC_[A-Z_]+", _TEXT))
    assert named <= settings
    short = re.findall(r"`…(_[A-Z_]+)=", _TEXT)
    assert short
    assert all(any(name.endswith(ending) for name in settings) for ending in short)


def test_services_profiles_and_ports_exist() -> None:
    named = re.findall(r"docker compose (?:run --rm(?: -v \S+)*|exec(?: -T)?|cp|stop) ([a-z-]+)", _TEXT)
    named += re.findall(r"`((?:worker|bridge)-[a-z]+)`", _TEXT) + re.findall(r"--scale ([a-z-]+)=", _TEXT)
    assert {"migrate", "cli", "clickhouse", "worker-normalize"} <= set(named) <= set(_SERVICES)
    profiles = {profile for service in _SERVICES.values() for profile in service.get("profiles", ())}
    assert set(re.findall(r"--profile (\w+)", _TEXT)) <= profiles
    published = {port.rpartition(":")[0] for service in _SERVICES.values() for port in service.get("ports", ())}
    assert set(re.findall(r"http://(127\.0\.0\.1:\d+)", _TEXT)) == published


def test_paths_exist() -> None:
    paths = set(re.findall(r"\bops/[\w./-]+\w", _TEXT))
    assert paths
    assert all((ROOT / path).exists() for path in paths)
    assert "docs/containers.md" in (ROOT / "README.md").read_text()
