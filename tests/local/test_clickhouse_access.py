from base64 import b64encode
from email.message import Message

import pytest

from local.clickhouse_access import Access

_ACCESS = Access("pass:word")


def _headers(*given: tuple[str, str]) -> Message:
    headers = Message()
    for name, value in given:
        headers[name] = value
    return headers


def _login(text: str) -> tuple[str, str]:
    return "Authorization", "Basic " + b64encode(text.encode()).decode()


def _status(*given: tuple[str, str], is_open: bool = False) -> int:
    refusal = _ACCESS.refusal(_headers(*given), is_open)
    return refusal.status if refusal else 200


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.1:8123", "localhost", "LocalHost:1"])
def test_whoever_knows_the_password_is_admitted_here(host: str) -> None:
    assert _status(("Host", host), _login("gridtick:pass:word")) == 200
    assert _status(("Host", host), is_open=True) == 200
    assert _status(("Host", host)) == 401


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "localhost:", "127.0.0.1:80@x", "", "[::1]"]
)
def test_a_foreign_host_is_refused_whatever_it_knows(host: str) -> None:
    assert _status(("Host", host), _login("gridtick:pass:word")) == 403
    assert _status(("Host", host), is_open=True) == 403


def test_a_request_names_one_host_and_one_login() -> None:
    assert _status(_login("gridtick:pass:word")) == 403
    assert _status(("Host", "localhost"), ("Host", "localhost"), _login("gridtick:pass:word")) == 403
    assert _status(("Host", "localhost"), _login("gridtick:x"), _login("gridtick:pass:word")) == 401


@pytest.mark.parametrize(
    "login", ["gridtick:pass:wor", "gridtick:", "default:pass:word", ":", "", "gridtick:p\u00e4ss"]
)
def test_another_login_is_refused(login: str) -> None:
    assert _status(("Host", "localhost"), _login(login)) == 401


@pytest.mark.parametrize(
    "value", ["Basic", "Basic \u00ff", "Basic ====", "Bearer gridtick:pass:word", "gridtick:pass:word"]
)
def test_what_is_no_basic_login_is_refused(value: str) -> None:
    assert _status(("Host", "localhost"), ("Authorization", value)) == 401
