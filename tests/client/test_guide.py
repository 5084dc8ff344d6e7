"""docs/client.md: its programs run, and it names only what there is."""

import ast
import inspect
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import httpx
import polars as pl
import pytest

import gridtick.client
from api.formats.writers import whole
from gridtick.client import Client
from gridtick.client.stream.asked import Wanted

ROOT: Final = Path(__file__).parents[2]
TEXT: Final = (ROOT / "docs" / "client.md").read_text()
PROGRAMS: Final[list[str]] = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
KEY: Final = "gt_live_abcdefghijkl_S3cretS3cretS3cretS3cretS3cret12_0a1b2c3d"
ROW: Final[dict[str, Any]] = {
    "instrument": "A",
    "price": 1,
    "start": "s",
    "close": 2,
    "is_final": True,
    "status": "live",
}


def _answer(request: httpx.Request) -> httpx.Response:
    if request.url.params.get("format") == "arrow":
        return httpx.Response(200, content=whole("arrow", pl.DataFrame([ROW]), decimals_as_text=False))
    if request.url.path == "/v1/bars/explain":
        return httpx.Response(404, json={"type": "/docs/errors/not-found", "detail": "No.", "request_id": "r"})
    page = {"data": [ROW], "next": None, "points": [ROW], "tenant": "acme", "complete": True}
    return httpx.Response(200, json=page)


def _asking(transport: httpx.MockTransport, real: Any) -> Callable[..., Any]:
    """A client of the API here, whatever address and key a program gives."""

    def made(*_: object) -> Any:
        return real("http://api.test", KEY, transport=transport)

    return made


@pytest.mark.parametrize("program", PROGRAMS)
def test_its_programs_run(
    program: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Against an API that has one row of everything; what only defines something is compiled and named right."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GRIDTICK_API_KEY", KEY)
    if "to_pandas" in program:
        pytest.importorskip("pandas")
    transport = httpx.MockTransport(_answer)
    for name in ("Client", "AsyncClient"):
        monkeypatch.setattr(gridtick.client, name, _asking(transport, getattr(gridtick.client, name)))
    client = Client("http://api.test", KEY, transport=transport)
    exec(compile(program, "docs/client.md", "exec"), {"client": client})
    if "print(" in program and "async def follow" not in program:
        assert capsys.readouterr().out


def test_it_names_what_there_is() -> None:
    for program in PROGRAMS:
        for node in ast.walk(ast.parse(program)):
            if isinstance(node, ast.ImportFrom) and node.module == "gridtick.client":
                assert {name.name for name in node.names} <= set(gridtick.client.__all__)
    rows = re.findall(r"^\| (`[^|]+) \|", TEXT.split("## Errors")[1], re.MULTILINE)
    errors = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    assert errors <= set(gridtick.client.__all__)
    raised = {name for name in gridtick.client.__all__ if inspect.isclass(kind := getattr(gridtick.client, name))
              and issubclass(kind, Exception)}  # fmt: skip
    assert raised - errors == {"GridtickError", "StreamError"}
    named = set(re.findall(r"`(\w+?)(?:=[^`]*)?`", TEXT.split("| argument | |")[1].split("\n\n")[0]))
    assert set(Wanted.__annotations__) <= named


def test_what_it_links_to_is_there() -> None:
    links = re.findall(r"\]\(([^)#]+)", TEXT)
    assert links
    assert all((ROOT / "docs" / link).exists() for link in links)
    assert "docs/client.md" in (ROOT / "README.md").read_text()
