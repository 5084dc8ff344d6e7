"""Where the key comes from, and that it is never shown."""

import copy
import traceback
from pathlib import Path

import httpx
import pytest

from gridtick.client import AsyncClient, Client, Forbidden, GridtickError, NotFound

KEY = "gt_live_abcdefghijkl_S3cretS3cretS3cretS3cretS3cret12_0a1b2c3d"
OTHER = KEY.replace("abc", "xyz")


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GRIDTICK_URL", "GRIDTICK_API_KEY", "GRIDTICK_API_KEY_FILE"):
        monkeypatch.delenv(name, raising=False)


def _sent(client: Client) -> str:
    return client._http.headers["authorization"].removeprefix("Bearer ")  # pyright: ignore[reportPrivateUsage]


def _file(folder: Path, text: str) -> Path:
    path = folder / "key"
    path.write_text(text)
    return path


def test_a_file_holds_a_key(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = _file(tmp_path, f"{KEY}\n")
    assert _sent(Client("http://x", key_file=path)) == KEY
    assert _sent(Client("http://x", key_file=str(path))) == KEY
    monkeypatch.setenv("GRIDTICK_API_KEY_FILE", str(path))
    assert _sent(Client("http://x")) == KEY
    monkeypatch.setenv("GRIDTICK_API_KEY", OTHER)
    assert _sent(Client("http://x")) == OTHER
    assert _sent(Client("http://x", key_file=path)) == KEY


def test_an_argument_leads(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GRIDTICK_API_KEY", OTHER)
    monkeypatch.setenv("GRIDTICK_API_KEY_FILE", str(tmp_path / "absent"))
    assert _sent(Client("http://x", KEY)) == KEY
    with pytest.raises(GridtickError, match="leave one of the two away"):
        Client("http://x", KEY, key_file=tmp_path)


@pytest.mark.parametrize(
    ("text", "words"), [("", "is empty"), (" \n\t", "is empty"), (None, "cannot be read: No such file")]
)
def test_a_file_without_a_key_is_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, text: str | None, words: str
) -> None:
    path = tmp_path / "key" if text is None else _file(tmp_path, text)
    with pytest.raises(GridtickError, match=words) as caught:
        Client("http://x", key_file=path)
    assert (str(path) in str(caught.value), "key_file" in str(caught.value)) == (True, True)
    monkeypatch.setenv("GRIDTICK_API_KEY_FILE", str(path))
    with pytest.raises(GridtickError, match=f"GRIDTICK_API_KEY_FILE.*{words}"):
        Client("http://x")


def test_a_file_of_something_else_is_not_shown(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_bytes(b"S3cret\xff")
    with pytest.raises(GridtickError, match="no text file") as caught:
        Client("http://x", key_file=path)
    assert "S3cret" not in "".join(traceback.format_exception(caught.value))
    with pytest.raises(GridtickError, match="Copy it again") as caught:
        Client("http://x", key_file=_file(tmp_path, f"{KEY}\n{OTHER}"))
    assert "S3cret" not in str(caught.value)


def test_nothing_that_is_printed_shows_it() -> None:
    client = Client("http://x", KEY)
    for each in (client, AsyncClient("http://x", KEY), client.api.exchange.secret, client.stream("ticks", market="x")):
        assert "S3cret" not in repr(each)
    assert repr(AsyncClient("http://x", KEY)) == "AsyncClient('http://x', key='gt_live_abcdefghijkl…')"
    assert repr(AsyncClient("http://x", "short")) == "AsyncClient('http://x', key='…')"


def test_no_error_repeats_it() -> None:
    """Not even where the server says it again."""
    body = {"detail": f"{KEY} may not.", "errors": [{"detail": KEY}], "request_id": "r-1"}
    client = Client("http://x", KEY, transport=httpx.MockTransport(lambda _: httpx.Response(403, json=body)))
    with pytest.raises(Forbidden) as caught:
        client.me()
    told = f"{caught.value!r} {caught.value} {caught.value.problem}"
    assert "S3cret" not in told + "".join(traceback.format_exception(caught.value))
    assert (caught.value.detail, caught.value.request_id) == ("gt_live_abcdefghijkl… may not.", "r-1")
    assert str(copy.copy(caught.value)) == str(caught.value)
    assert not isinstance(caught.value, NotFound)
