from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from gridtick.cli import send


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["--backfill", "--speed", "2"], "leave one of the two away"),
        (["--again"], "--again is for --backfill"),
    ],
)
def test_options_that_contradict_each_other_are_refused(tmp_path: Path, options: list[str], reason: str) -> None:
    app = typer.Typer()
    app.callback()(lambda: None)
    send.register(app)
    done = CliRunner().invoke(app, ["send", str(tmp_path), *options])
    assert reason in str(done.exception)
