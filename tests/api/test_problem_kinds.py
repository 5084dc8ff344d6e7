"""The register of problems: whole, true of the code, and with a page for each kind."""

import ast
import asyncio
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args
from unittest.mock import MagicMock

import httpx
import pytest
from uvicorn import Config
from uvicorn.server import ServerState

from api import problems
from api.document import error_pages
from api.problems import KINDS, Kind
from api.wire.protocol import Protocol
from tests.api import fakes

API = Path(problems.__file__).parent


def _nodes() -> Iterator[tuple[Path, ast.AST]]:
    """The code of the API, and of the stores whose refusals it answers, but the register itself."""
    register = ast.parse((API / "problems.py").read_text()).body
    yield from ((API / "problems.py", node) for each in register if not _is_register(each) for node in ast.walk(each))
    for path in (*API.rglob("*.py"), *(API.parent / "db").rglob("*.py")):
        if path.name != "problems.py":
            yield from ((path, node) for node in ast.walk(ast.parse(path.read_text())))


def _is_register(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Assign | ast.AnnAssign)


def _problems() -> Iterator[tuple[str, int, str]]:
    """Where a problem is made of a written status and kind."""
    for path, node in _nodes():
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Problem":
            match node.args[:2]:
                case [ast.Constant(value=int(status)), ast.Constant(value=str(kind))]:
                    yield f"{path.name}:{node.lineno}", status, kind
                case _:
                    pass


def test_the_register_is_whole() -> None:
    assert set(KINDS) == set(get_args(Kind))


def test_what_is_raised_is_registered_with_its_status() -> None:
    statuses = {str(kind): about.status for kind, about in KINDS.items()}
    raised = list(_problems())
    assert len(raised) > 5
    wrong = [each for each in raised if statuses.get(each[2]) != each[1]]
    assert not wrong, f"add the kind to Kind and KINDS in api/problems.py, or mend its status: {wrong}"


def test_what_is_registered_is_used() -> None:
    written = {node.value for _, node in _nodes() if isinstance(node, ast.Constant)}
    assert set(KINDS) - written == set()


def test_every_kind_has_a_page_and_every_page_a_kind() -> None:
    assert {path.name for path in error_pages.FOLDER.iterdir()} == {f"{kind}.md" for kind in KINDS}


@pytest.mark.parametrize("kind", KINDS)
def test_a_page_says_what_it_means_shows_one_and_says_what_to_do(kind: Kind) -> None:
    text, about = (error_pages.FOLDER / f"{kind}.md").read_text(), KINDS[kind]
    assert text.startswith(f"# {about.title}\n\nStatus {about.status}. ")
    assert re.findall("^## (.*)$", text, re.MULTILINE) == ["Example", "What to do"]
    [shown] = re.findall("```json\n(.*?)```", text, re.DOTALL)
    body = json.loads(shown)
    assert set(body) == {"type", "title", "status", "detail", "request_id", "errors"}
    assert (body["type"], body["title"], body["status"]) == (f"/docs/errors/{kind}", about.title, about.status)


async def test_the_type_of_a_problem_leads_to_its_page(http: httpx.AsyncClient) -> None:
    index = (await http.get("/docs/errors")).text
    for kind, about in KINDS.items():
        page = await http.get(f"/docs/errors/{kind}")
        assert page.status_code == 200
        assert f"<h1>{about.title}</h1>" in page.text
        assert f'<a href="/docs/errors/{kind}">{about.title}</a>' in index


async def test_a_kind_that_is_not_there_is_404(http: httpx.AsyncClient) -> None:
    assert (await http.get("/docs/errors/..%2Fnot-found")).status_code == 404
    assert "/docs/errors lists them" in (await http.get("/docs/errors/no-such")).json()["detail"]


async def test_a_body_of_another_type_is_415_with_the_type_to_send(reads: fakes.FakeReads) -> None:
    async with fakes.client(reads, reads.add_key(role="admin")) as http:
        address = "/v1/admin/reference/taxonomy_rules"
        answer = await http.put(address, content="{}", headers={"Content-Type": "application/json"})
        assert (answer.status_code, answer.json()["type"]) == (415, "/docs/errors/unsupported-media-type")
        assert "Send Content-Type: text/csv." in answer.json()["detail"]
        for taken in ({}, {"Content-Type": "Text/CSV; charset=utf-8"}):
            answer = await http.put(address, content="x\n1\n", headers=taken)
            assert answer.json()["type"] == "/docs/errors/invalid-reference"


async def test_options_are_405_with_the_methods(http: httpx.AsyncClient) -> None:
    answer = await http.options("/v1/ticks")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD")
    assert answer.json()["type"] == "/docs/errors/method-not-allowed"


@pytest.mark.parametrize(
    "sent", [b"no request\r\n\r\n", b"GET / HTTP/1.1\r\nHost a\r\n\r\n", b"GET /\xff HTTP/9\r\n\r\n"]
)
async def test_what_is_no_http_is_answered_in_the_same_shape(sent: bytes) -> None:
    head, _, body = _answered(sent).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    headers: dict[str, Any] = dict(line.split(": ", 1) for line in head.decode().split("\r\n")[1:])
    assert (headers["content-type"], headers["connection"]) == ("application/problem+json", "close")
    assert int(headers["content-length"]) == len(body)
    problem = json.loads(body)
    assert (problem["type"], problem["request_id"]) == ("/docs/errors/bad-request", headers["x-request-id"])


def _answered(sent: bytes) -> bytes:
    transport = MagicMock(spec=asyncio.Transport)
    transport.get_extra_info.return_value = None
    protocol = Protocol(Config(MagicMock(), log_config=None), ServerState(), {})
    protocol.connection_made(transport)
    protocol.data_received(sent)
    transport.close.assert_called_once()
    return b"".join(call.args[0] for call in transport.write.call_args_list)
