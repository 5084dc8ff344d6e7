"""The stand-in for ClickHouse lets nobody in who does not know its password."""

from pathlib import Path

import psutil
import pytest

from local import clickhouse
from tests.local.asking import link, raw


@pytest.mark.stack
@pytest.mark.parametrize("given", ["", "Basic Z3JpZHRpY2s6d3Jvbmc=", "Basic %%%", "Bearer x"])
def test_without_the_password_nothing_is_read_or_run(url: str, given: str, tmp_path: Path) -> None:
    write = f"SELECT 1 INTO OUTFILE '{tmp_path}/written' FORMAT CSV".encode()
    assert raw(url, "/", write, Authorization=given)[0] == 401
    assert raw(url, "/?query=CREATE+TABLE+gridtick.sneaked+(a+UInt8)+ENGINE=Memory", b"", Authorization=given)[0] == 401
    status, said = raw(url, "/?query=SELECT+1&user=gridtick&password=", b"", "GET", Authorization=given)
    assert status == 401
    assert b"AUTHENTICATION_FAILED" in said
    assert not (tmp_path / "written").exists()
    assert raw(url, "/", b"EXISTS gridtick.sneaked") == (200, b"0\n")


@pytest.mark.stack
def test_a_refusal_does_not_wait_for_the_body(url: str) -> None:
    asking = link(url)
    asking.putrequest("POST", "/")
    asking.putheader("Content-Length", "1000000")
    asking.endheaders()
    reply = asking.getresponse()
    assert (reply.status, reply.getheader("X-ClickHouse-Exception-Code")) == (401, "516")
    assert reply.getheader("Access-Control-Allow-Origin") is None
    asking.close()


@pytest.mark.stack
def test_a_name_that_was_pointed_at_this_machine_is_refused(url: str) -> None:
    assert raw(url, "/", b"SELECT 1", Host="evil.example:80")[0] == 403
    assert raw(url, "/ping", b"", "GET", Host="evil.example")[0] == 403
    assert raw(url, "/ping", b"", "GET", Host="localhost", Authorization="")[0] == 200
    assert raw(url, "/", b"SELECT 1", Host="LOCALHOST:1") == (200, b"1\n")


@pytest.mark.stack
def test_a_wrong_password_is_no_answer(url: str) -> None:
    assert clickhouse.answers(url)
    assert not clickhouse.answers(url.replace("@", "x@"))


@pytest.mark.stack
def test_the_password_is_on_no_command_line(url: str) -> None:
    password = url.split(":")[2].split("@", maxsplit=1)[0]
    lines = [process.info["cmdline"] or [] for process in psutil.process_iter(["cmdline"])]
    assert any("local.clickhouse_server" in line for line in lines)
    assert not any(password in word for line in lines for word in line)
