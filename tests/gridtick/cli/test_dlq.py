"""`gridtick dlq` and `gridtick bridge`: wrong use is told before anything is asked."""

import pytest
from typer.testing import CliRunner

from gridtick.cli import dlq
from gridtick.cli.main import build
from pipeline.errors import DataProcessingError


def _refused(*arguments: str) -> str:
    done = CliRunner().invoke(build(("dlq", "bridge")), list(arguments))
    assert isinstance(done.exception, DataProcessingError), done.output
    return done.exception.message


@pytest.mark.parametrize("given", [[], ["abcd", "--all"], ["--all", "--cause", "abc"], ["abcd", "--cause", "abc"]])
def test_what_to_send_again_is_named_in_one_way(given: list[str]) -> None:
    assert "by their ids, or one --cause, or --all" in _refused("dlq", "replay", *given)


@pytest.mark.parametrize(
    ("option", "value"), [("--market", "NO SUCH!"), ("--product", "a.b"), ("--tenant", "a b"), ("--market", "")]
)
def test_a_label_that_cannot_be_one_is_refused(option: str, value: str) -> None:
    assert f"{option} {value.lower()!r} cannot be the name" in _refused("dlq", "replay", "--all", option, value)


def test_an_instant_needs_an_offset() -> None:
    assert "--since 2025-03-01T00:00 is no instant" in _refused("dlq", "ls", "--since", "2025-03-01T00:00")


@pytest.mark.parametrize("command", [("dlq", "ls"), ("dlq", "show"), ("dlq", "replay"), ("bridge", "resume")])
def test_every_command_has_an_example_and_a_folder(command: tuple[str, str]) -> None:
    said = CliRunner().invoke(build(("dlq", "bridge")), [*command, "--help"], env={"COLUMNS": "200"}).output
    assert f"Example: gridtick {' '.join(command)}" in said
    assert "--data-dir" in said


def test_an_unknown_lane_is_wrong_use() -> None:
    assert CliRunner().invoke(build(("bridge",)), ["bridge", "resume", "--lane", "fast"]).exit_code == 2


def test_a_file_that_cannot_be_written_is_a_sentence() -> None:
    with pytest.raises(DataProcessingError, match="cannot be written"):
        dlq._written(dlq.Path("/proc/nowhere"), b"x", message=True)  # pyright: ignore[reportPrivateUsage]
