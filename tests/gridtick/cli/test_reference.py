"""`gridtick reference` on real servers: what is written is what is read, and a bad file loads nothing."""

from pathlib import Path
from uuid import uuid4

import pytest
from typer.testing import CliRunner, Result

from gridtick.cli.main import build
from local.stack import Stack
from pipeline.errors import DataProcessingError
from pipeline.reference.tables import TABLES

HEAD = "market,location,kind,region,source\n"


@pytest.fixture
def tenant() -> str:
    return f"t-{uuid4().hex[:12]}"


def call(*arguments: str) -> Result:
    return CliRunner().invoke(build(("reference", "latest")), ["reference", *arguments])


@pytest.mark.stack
def test_a_file_goes_in_is_compared_and_comes_out(
    stack: Stack, tmp_path: Path, tenant: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in stack.environ.items():
        monkeypatch.setenv(name, value)
    file, of = tmp_path / "places.csv", ("--tenant", tenant)
    file.write_text(f"{HEAD}pjm,A,node,US-PA,s\npjm,B,node,,s\n")
    dry = call("load", str(file), "--dry-run", *of)
    assert "2 rows would change; nothing was loaded." in dry.stdout, dry.output
    loaded = call("load", str(file), *of)
    assert "locations: 2 added, 0 changed, 0 removed\n2 rows changed. Version " in loaded.stdout
    assert (call("diff", str(file), *of).exit_code, call("load", str(file), *of).stdout[:25]) == (
        0, "locations: 0 added, 0 cha",
    )  # fmt: skip
    file.write_text(f"{HEAD}pjm,A,node,US-OH,s\npjm,C,node,,s\n")
    changed = call("diff", str(file), *of)
    assert changed.exit_code == 1
    assert changed.stdout.splitlines() == [
        f"- {tenant} pjm B -",
        f"+ {tenant} pjm C -",
        f"~ {tenant} pjm A -  region: US-PA → US-OH",
    ]
    call("load", str(file), "--replace", *of)
    exported = call("export", "locations", *of).stdout
    assert exported == (
        "market,location,valid_from,valid_to,name,kind,region,zone,hub,source\n"
        "pjm,A,,,,node,US-OH,,,s\npjm,C,,,,node,,,,s\n"
    )
    assert call("export", "--all", str(tmp_path / "all"), *of).exit_code == 0
    assert (tmp_path / "all" / "locations.csv").read_text() == exported
    assert len(list((tmp_path / "all").glob("*.csv"))) == len(TABLES)
    assert "taxonomy_rules" in call("ls").stdout


def test_a_bad_file_is_refused_before_any_server_is_asked(tmp_path: Path) -> None:
    file = tmp_path / "places.csv"
    file.write_text(f"{HEAD}pjm,A,castle,,s\npjm,,node,,s\n")
    refused = call("load", str(file)).exception
    assert isinstance(refused, DataProcessingError)
    assert "line 2, kind: 'castle' is not one of" in refused.message
    assert "line 3, location: is empty" in refused.message
    absent = call("load", str(tmp_path / "nowhere.csv")).exception
    assert isinstance(absent, DataProcessingError)
    assert "cannot be read: No such file" in absent.message
    neither = call("export").exception
    assert isinstance(neither, DataProcessingError)
