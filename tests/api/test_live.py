"""The page `/`: served by the API itself, of own files alone, and nothing of it can become script."""

import re
from hashlib import sha256

import httpx
import pytest

from api.document.assets import LIVE, TYPES
from tests.api import fakes

ADDRESS = re.compile(r'(?:href|src)="([^"]*)"')
NAMED = re.compile(r'from "\./([^"]*)"')
ELSEWHERE = {"https://www.tradingview.com/"}  # a link that the charts' licence asks for


@pytest.fixture
def reads() -> fakes.FakeReads:
    return fakes.FakeReads()


async def test_the_page_names_own_files_that_all_answer(http: httpx.AsyncClient) -> None:
    answer = await http.get("/", headers={"X-API-Key": ""})
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    named = set(ADDRESS.findall(answer.text)) - ELSEWHERE
    assert "/docs" in named
    for address in {each for each in named if not each.startswith("#")}:
        assert (await http.get(address)).status_code == 200, address


async def test_head_is_answered_as_get(http: httpx.AsyncClient) -> None:
    head, answer = await http.head("/"), await http.get("/")
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == answer.headers["content-length"]


async def test_no_key_is_needed(reads: fakes.FakeReads) -> None:
    async with fakes.client(reads) as http:
        assert (await http.get("/")).status_code == 200


async def test_the_policy_lets_nothing_but_own_files_run(http: httpx.AsyncClient) -> None:
    answer = await http.get("/")
    policy = dict(part.split(" ", 1) for part in answer.headers["content-security-policy"].split("; "))
    assert policy.pop("require-trusted-types-for") == "'script'"
    assert policy["default-src"] == policy["trusted-types"] == "'none'"
    assert {source for part in policy.values() for source in part.split()} == {"'self'", "'none'"}
    assert "style=" not in answer.text
    assert not re.search(r"<style|\son\w+=|javascript:", answer.text)
    assert re.findall(r"<script(?! (?:type=\"module\" )?src=\"/live/)", answer.text) == []


async def test_modules_name_each_other_and_each_of_them_is_there(http: httpx.AsyncClient) -> None:
    scripts = [name for name in LIVE.digests if name.endswith(".js")]
    named = {each for name in scripts for each in NAMED.findall((LIVE.folder / name).read_text())}
    assert named | {"main.js", "theme.js"} == set(scripts)
    for name in named:
        answer = await http.get(f"/live/{LIVE.version}/{name}")
        assert answer.headers["content-type"] == TYPES[".js"]
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"


async def test_a_file_is_asked_for_again_by_its_tag(http: httpx.AsyncClient) -> None:
    address = f"/live/{LIVE.version}/main.js"
    tag = (await http.get(address)).headers["etag"]
    again = await http.get(address, headers={"If-None-Match": tag})
    assert (again.status_code, again.content) == (304, b"")


async def test_no_other_file_and_no_other_version_is_served(http: httpx.AsyncClient) -> None:
    for name in ("index.html", "SHA256SUMS", "..%2Fassets%2Fsite.css", "%2e%2e", "nothing.js"):
        assert (await http.get(f"/live/{LIVE.version}/{name}")).status_code == 404, name
    assert (await http.get("/live/0123456789abcdef/main.js")).status_code == 404


def test_files_from_elsewhere_are_those_that_the_sums_name_and_their_licences_are_there() -> None:
    lines = (LIVE.folder / "SHA256SUMS").read_text().splitlines()
    named = {name: digest for digest, name in (line.split() for line in lines if not line.startswith("#"))}
    assert set(named) == {"lightweight-charts.js", "lightweight-charts.LICENSE.txt"}
    for name, digest in named.items():
        assert sha256((LIVE.folder / name).read_bytes()).hexdigest() == digest, f"scripts/npm.py assets: {name}"
    assert {"lightweight-charts.NOTICE.txt", "fancy-canvas.LICENSE.txt"} <= set(LIVE.digests)


async def test_the_charts_are_attributed_as_their_licence_asks(http: httpx.AsyncClient) -> None:
    text = (await http.get("/")).text
    assert 'href="https://www.tradingview.com/"' in text
    notice = (LIVE.folder / "lightweight-charts.NOTICE.txt").read_text()
    assert re.search(r"Copyright \(c\) (\d{4}) TradingView", notice)


def test_own_scripts_name_no_other_origin_and_make_no_markup() -> None:
    for path in LIVE.folder.glob("*.js"):
        if path.name == "lightweight-charts.js":
            continue
        code = path.read_text()
        assert set(re.findall(r"https?://[^\"'`\s]+", code)) <= {"http://www.w3.org/2000/svg"}, path.name
        unsafe = r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|localStorage.*[kK]ey\b"
        assert not re.search(unsafe, code), path.name
    assert "localStorage" not in (LIVE.folder / "key.js").read_text()
