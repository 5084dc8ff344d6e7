"""Which API a reading command asks, and which key it shows there."""

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from gridtick.cli import connection, output
from gridtick.cli.output import Format
from gridtick.client import Bar, NotFound
from local import state
from pipeline.errors import DataProcessingError

KEY = "gt_live_abcdefghijkl_S3cretS3cretS3cretS3cretS3cret12_0a1b2c3d"
DEMO = "gt_live_demodemodemo_S3cretS3cretS3cretS3cretS3cret12_0a1b2c3d"


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GRIDTICK_URL", raising=False)
    monkeypatch.delenv("GRIDTICK_API_KEY", raising=False)
    monkeypatch.delenv("GRIDTICK_API_KEY_FILE", raising=False)


@contextmanager
def _running(folder: Path) -> Generator[None]:
    """A stack, as far as a command can see."""
    (folder / "secrets").mkdir()
    (folder / "secrets" / "demo_key").write_text(DEMO + "\n")
    with state.DataDirLock(folder):
        state.write(state.StackState(1, str(folder), True, {"DATA_PROC_API_PORT": "21001"}, {}))
        yield


def _used(folder: Path) -> tuple[str, str]:
    with connection.connected(folder) as client:
        return client.url, client._http.headers["authorization"].removeprefix("Bearer ")  # pyright: ignore[reportPrivateUsage]


def test_the_running_stack_gets_its_own_key(tmp_path: Path) -> None:
    with _running(tmp_path):
        assert _used(tmp_path) == ("http://127.0.0.1:21001", DEMO)


def test_a_key_alone_goes_to_the_running_stack(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GRIDTICK_API_KEY", KEY)
    with _running(tmp_path):
        assert _used(tmp_path) == ("http://127.0.0.1:21001", KEY)


def test_the_environment_leads_over_a_running_stack(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GRIDTICK_URL", "http://elsewhere")
    monkeypatch.setenv("GRIDTICK_API_KEY", KEY)
    with _running(tmp_path):
        assert _used(tmp_path) == ("http://elsewhere", KEY)


def test_no_other_address_gets_the_demo_key(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GRIDTICK_URL", "http://elsewhere")
    with (
        _running(tmp_path),
        pytest.raises(DataProcessingError, match=r"http://elsewhere.*GRIDTICK_API_KEY.*unset GRIDTICK_URL"),
    ):
        _used(tmp_path)


def test_no_proxy_gets_the_demo_key(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://proxy.test:3128")
    with _running(tmp_path), connection.connected(tmp_path) as client:
        assert not client._http._mounts  # pyright: ignore[reportPrivateUsage]


@pytest.mark.parametrize("key", ["", KEY])
def test_without_a_stack_it_says_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, key: str) -> None:
    monkeypatch.setenv("GRIDTICK_API_KEY", key)
    with pytest.raises(DataProcessingError, match="gridtick up"):
        _used(tmp_path)


def test_a_refusal_becomes_a_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GRIDTICK_URL", "http://elsewhere")
    monkeypatch.setenv("GRIDTICK_API_KEY", KEY)

    def rows() -> Iterator[dict[str, Any]]:
        raise NotFound(404, {"detail": "there is no 'X'", "request_id": "r-9"})
        yield {}

    with (
        pytest.raises(DataProcessingError, match=r"there is no 'X' \(request r-9\)"),
        connection.connected(tmp_path),
    ):
        output.write(rows(), Format.ndjson, Bar, ())


def test_a_key_may_lie_in_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GRIDTICK_API_KEY_FILE", str(tmp_path / "key"))
    monkeypatch.setenv("GRIDTICK_URL", "http://elsewhere")
    with pytest.raises(DataProcessingError, match=r"key file .* cannot be read"):
        _used(tmp_path)
    (tmp_path / "key").write_text(KEY)
    assert _used(tmp_path) == ("http://elsewhere", KEY)
    monkeypatch.delenv("GRIDTICK_URL")
    with _running(tmp_path):
        assert _used(tmp_path) == ("http://127.0.0.1:21001", KEY)
