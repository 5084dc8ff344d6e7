"""`gridtick audit` on a real server."""

import json
from pathlib import Path
from uuid import uuid4

import pytest
from typer.testing import CliRunner, Result

from gridtick.cli.main import build
from local.stack import Stack
from pipeline.errors import DataProcessingError

HEAD = "market,location,kind,region,source\n"


def call(*arguments: str) -> Result:
    return CliRunner().invoke(build(("reference", "audit")), arguments)


@pytest.mark.stack
def test_what_was_typed_is_listed_and_the_record_is_whole(
    stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in stack.environ.items():
        monkeypatch.setenv(name, value)
    tenant, file = f"t-{uuid4().hex[:12]}", tmp_path / "places.csv"
    file.write_text(f"{HEAD}pjm,A,node,US-PA,s\n")
    assert call("reference", "load", str(file), "--tenant", tenant).exit_code == 0
    [line] = call("audit", "ls", "--tenant", tenant).stdout.splitlines()
    row = json.loads(line)
    assert (row["actor"], row["action"], row["target"], row["at"][-1]) == ("cli", "reference.load", "locations", "Z")
    assert call("audit", "ls", "--tenant", tenant, "--since", "2100-01-01T00:00:00Z").stdout == ""
    seen = call("audit", "verify")
    assert seen.exit_code == 0
    assert seen.stdout.splitlines()[0].endswith(" records, all as they were written.")
    anchor = seen.stdout.splitlines()[1].removeprefix("anchor ")
    assert call("audit", "verify", "--anchor", anchor).exit_code == 0
    seq, written = anchor.split(":")
    wrong = call("audit", "verify", "--anchor", f"{seq}:{'0' * len(written)}")
    assert (wrong.exit_code, f"record {seq} is another one than the anchor's" in wrong.stdout) == (1, True)


def test_what_is_no_anchor_is_refused_before_any_server_is_asked() -> None:
    refused = call("audit", "verify", "--anchor", "12").exception
    assert isinstance(refused, DataProcessingError)
    assert "SEQ:HASH" in refused.message
