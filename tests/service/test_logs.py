import io
import json
import logging
from collections.abc import Iterator

import pytest

from service import logs
from service.settings import load

KEY = "gt_live_abc123_s3cretS3cret_9f8e7d6c"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def _root_as_before() -> Iterator[None]:
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    yield
    root.handlers[:] = before
    root.setLevel(level)


def _line(message: str, secrets: tuple[str, ...] = (), **facts: object) -> dict[str, object]:
    stream = io.StringIO()
    logs.configure("INFO", secrets, stream)
    logging.getLogger("x").info(message, extra=facts)
    return json.loads(stream.getvalue())


def test_a_line_is_json_with_its_facts() -> None:
    line = _line("batch landed", partition=3)
    assert {"level": "INFO", "logger": "x", "message": "batch landed", "partition": 3}.items() <= line.items()
    assert str(line["time"]).endswith("+00:00")


def test_keys_passwords_and_tokens_are_masked() -> None:
    line = _line(f"{KEY} postgresql://me:hunter2hunter@h/db Bearer abcdef", dsn="anything", url="redis://:pw12345@h")
    text = json.dumps(line)
    assert "gt_live_abc123_***" in text
    for secret in ("s3cret", "hunter2", "abcdef", "anything", "pw12345"):
        assert secret not in text


def test_secret_settings_are_masked_wherever_they_appear() -> None:
    settings = load({"DATA_PROC_API_KEY_PEPPER": "pepper-value-1"})
    line = _line("it was pepper-value-1", tuple(logs.secrets_of(settings)), where="pepper-value-1")
    assert "pepper-value-1" not in json.dumps(line)


def test_passwords_of_addresses_are_masked_on_their_own_too() -> None:
    settings = load(
        {"DATA_PROC_CLICKHOUSE_URL": "http://me:hunter%2Ftwo@h:1", "DATA_PROC_REDIS_URL": "redis://:sesame1@h"}
    )
    line = json.dumps(_line("hunter%2Ftwo hunter/two sesame1 at h", tuple(logs.secrets_of(settings))))
    assert not any(secret in line for secret in ("hunter", "two", "sesame1"))
    assert " at h" in line


def test_a_trace_is_written_and_masked() -> None:
    stream = io.StringIO()
    logs.configure("INFO", (), stream)
    try:
        raise ValueError(KEY)
    except ValueError:
        logging.getLogger("x").exception("failed")
    line = json.loads(stream.getvalue())
    assert "ValueError" in line["trace"]
    assert "s3cretS3cret" not in line["trace"]


def test_a_terminal_gets_a_readable_line() -> None:
    stream = Terminal()
    logs.configure("INFO", (), stream)
    logging.getLogger("x").warning("slow", extra={"seconds": 2})
    assert stream.getvalue().endswith("WARNING x: slow seconds=2\n")
