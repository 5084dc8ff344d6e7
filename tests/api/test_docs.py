"""The pages: what they load is our own, and the policy allows that and nothing else."""

import re
from hashlib import sha256

import httpx
import pytest

from api.document import assets, docs
from tests.api import fakes

PAGES = ("/docs", "/docs/reference", "/docs/errors", "/docs/errors/not-found")
ADDRESS = re.compile(r'(?:href|src|spec-url)="([^"]*)"')


@pytest.fixture
def reads() -> fakes.FakeReads:
    return fakes.FakeReads()


@pytest.mark.parametrize("page", PAGES)
async def test_a_page_names_own_addresses_only_and_all_of_them_answer(reads: fakes.FakeReads, page: str) -> None:
    async with fakes.client(reads) as http:  # without a key
        answer = await http.get(page)
        assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
        named = set(ADDRESS.findall(answer.text))
        assert "/docs" in named
        for address in named:
            assert address.startswith("/"), address
            assert not address.startswith("//"), address
            assert (await http.get(address)).status_code in {200, 503}, address


@pytest.mark.parametrize("page", PAGES)
async def test_no_script_stands_in_a_page_and_the_policy_lets_own_files_run_alone(
    http: httpx.AsyncClient, page: str
) -> None:
    answer = await http.get(page)
    assert re.findall(r"<script(?! src=\"/docs/assets/)", answer.text) == []
    assert not re.search(r"\son\w+=|javascript:", answer.text)
    policy = dict(part.split(" ", 1) for part in answer.headers["content-security-policy"].split("; "))
    assert policy.pop("default-src") == "'none'"
    assert policy["script-src"] == policy["connect-src"] == "'self'"
    assert {source for part in policy.values() for source in part.split()} <= {
        "'self'", "'none'", "data:", "'unsafe-inline'",
    }  # fmt: skip
    assert [name for name, part in policy.items() if "unsafe-inline" in part] == ["style-src"]


async def test_other_answers_let_nothing_run(http: httpx.AsyncClient) -> None:
    for address in ("/v1/me", "/openapi.json", "/docs/nothing"):
        assert "script-src" not in (await http.get(address)).headers["content-security-policy"]


async def test_a_file_is_kept_for_long(http: httpx.AsyncClient) -> None:
    for name in assets.ASSETS.digests:
        answer = await http.get(assets.address(name))
        assert answer.content == (assets.ASSETS.folder / name).read_bytes()
        assert answer.headers["content-type"] == assets.TYPES[(assets.ASSETS.folder / name).suffix]
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"


async def test_a_file_is_asked_for_again_by_its_tag(http: httpx.AsyncClient) -> None:
    address = assets.address("site.css")
    answer = await http.get(address)
    again = await http.get(address, headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert (await http.get(address, headers={"If-None-Match": '"another"'})).status_code == 200
    head = await http.head(address)
    assert (head.content, head.headers["content-length"]) == (b"", answer.headers["content-length"])


async def test_no_other_file_is_served(http: httpx.AsyncClient) -> None:
    for name in ("SHA256SUMS", "..%2Ferrors%2Fnot-found.md", "%2e%2e", "nothing.js"):
        assert (await http.get(f"/docs/assets/{name}")).status_code == 404, name


def test_files_from_elsewhere_are_those_that_the_sums_name_and_their_licences_are_there() -> None:
    lines = (assets.ASSETS.folder / "SHA256SUMS").read_text().splitlines()
    named = {name: digest for digest, name in (line.split() for line in lines if not line.startswith("#"))}
    for name, digest in named.items():
        assert sha256((assets.ASSETS.folder / name).read_bytes()).hexdigest() == digest, (
            f"scripts/npm.py assets: {name}"
        )
    own = {"gridtick.png", "rapidoc-start.js", "site.css", "swagger-start.js"}
    assert set(assets.ASSETS.digests) == set(named) | own
    assert {"rapidoc.LICENSE.txt", "swagger-ui.LICENSE.txt", "swagger-ui.NOTICE.txt"} <= set(named)


def test_own_scripts_name_no_other_origin_and_keep_the_key() -> None:
    start = (assets.ASSETS.folder / "swagger-start.js").read_text()
    assert "persistAuthorization: true" in start
    assert "validatorUrl: null" in start  # else the document is sent to swagger.io
    for name in ("swagger-start.js", "rapidoc-start.js", "site.css"):
        assert "//" not in (assets.ASSETS.folder / name).read_text().replace("// ", ""), name
    assert b"load-fonts" in bytes(docs.show_reference().body)  # else it asks fonts.gstatic.com
