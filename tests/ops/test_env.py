"""ops/env.sh makes what docker-compose.yml asks for."""

import re
import shutil
import subprocess
from pathlib import Path

from service.settings import load
from tests.ops.compose import ROOT, environment, services, variables


def _made(folder: Path) -> subprocess.CompletedProcess[str]:
    (folder / "ops").mkdir(exist_ok=True)
    shutil.copy(ROOT / "ops" / "env.sh", folder / "ops")
    command = ["sh", str(folder / "ops" / "env.sh")]
    return subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)


def _read(path: Path) -> dict[str, str]:
    return dict(re.findall(r"^(\w+)=(.*)$", path.read_text(), re.MULTILINE))


def test_it_sets_every_variable_that_must_be_set(tmp_path: Path) -> None:
    assert _made(tmp_path).returncode == 0
    values = _read(tmp_path / ".env")
    assert set(values) == {variable.name for variable in variables() if variable.kind == ":?"}
    assert all(re.fullmatch("[0-9a-f]{64}", value) for value in values.values())
    assert len(set(values.values())) == len(values)
    api = load(environment(services(values)["api"]))
    assert values["GRIDTICK_REDIS_PASSWORD"] in api.redis.url.get_secret_value()
    assert values["GRIDTICK_CLICKHOUSE_READER_PASSWORD"] in api.clickhouse.read_url.get_secret_value()


def test_it_names_every_variable_that_may_be_set(tmp_path: Path) -> None:
    _made(tmp_path)
    named = dict(re.findall(r"^# (GRIDTICK_\w+)=(.*)$", (tmp_path / ".env").read_text(), re.MULTILINE))
    assert named == {variable.name: variable.rest for variable in variables() if variable.kind == ":-"}


def test_only_the_owner_reads_it_and_it_is_never_made_again(tmp_path: Path) -> None:
    _made(tmp_path)
    path = tmp_path / ".env"
    before = path.read_text()
    assert path.stat().st_mode & 0o777 == 0o600
    refused = _made(tmp_path)
    assert (refused.returncode, path.read_text()) == (1, before)
    assert "there already" in refused.stderr
    assert sorted(each.name for each in tmp_path.iterdir()) == [".env", "ops"]


def test_it_is_kept_out_of_the_repository_and_of_the_image() -> None:
    assert ".env" in (ROOT / ".gitignore").read_text().splitlines()
    assert (ROOT / ".dockerignore").read_text().splitlines()[1] == "*"
