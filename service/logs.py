"""Log lines: JSON for machines, one readable line on a terminal; secrets never leave the process.

Facts travel as `extra`: `log.info("batch landed", extra={"partition": 3})`.
"""

import logging
import re
import sys
from collections.abc import Iterable
from dataclasses import fields
from datetime import UTC, datetime
from typing import Final, TextIO
from urllib.parse import unquote

import msgspec
from pydantic import SecretStr

from service.settings import Settings

MASK: Final = "***"
_STANDARD: Final = frozenset(vars(logging.makeLogRecord({}))) | {
    "message",
    "asctime",
    "taskName",
    "color_message",
}
_SECRET_NAME: Final = re.compile(r"pass(word|wd)?|secret|pepper|token|authorization|api_?key|dsn", re.IGNORECASE)
_SECRET_TEXT: Final = (
    (re.compile(r"(gt_live_[0-9A-Za-z]+)_[0-9A-Za-z]+_[0-9A-Za-z]+"), rf"\1_{MASK}"),
    (re.compile(r"(://[^:/@\s]*):[^@/\s]+@"), rf"\1:{MASK}@"),
    (re.compile(r"(bearer\s+)(?!gt_live_)\S+", re.IGNORECASE), rf"\1{MASK}"),
)
_PASSWORD: Final = re.compile(r"://[^:/@\s]*:([^@/\s]+)@")
_SHORTEST_SECRET: Final = 6  # masking shorter values would hide ordinary words


def configure(level: str, secrets: Iterable[str] = (), stream: TextIO | None = None) -> None:
    """Sends every logger to `stream` (standard error), as JSON unless it is a terminal."""
    target = stream or sys.stderr
    redact = Redaction(secrets)
    handler = logging.StreamHandler(target)
    handler.setFormatter(HumanFormatter(redact) if target.isatty() else JsonFormatter(redact))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for quiet in ("httpx", "httpcore", "clickhouse_connect", "uvicorn.access", "alembic"):
        logging.getLogger(quiet).setLevel(max(logging.WARNING, root.level))


def fallback() -> None:
    """Makes sure that a failure before `configure` is still written readably."""
    if not logging.getLogger().handlers:
        configure("INFO")


def secrets_of(settings: Settings) -> list[str]:
    """The plain values of all secret settings, and the passwords in those that are addresses, for redaction."""
    groups = (getattr(settings, each.name) for each in fields(settings))
    secret = (value for group in groups for _, value in group if isinstance(value, SecretStr))
    values = [value.get_secret_value() for value in secret]
    return values + [form for value in values for form in _passwords(value)]


def _passwords(address: str) -> set[str]:
    """The password of an address as it is written there and as it is meant; none where there is none."""
    found = _PASSWORD.search(address)
    return {found[1], unquote(found[1])} if found else set()


class Redaction:
    """Masks keys, passwords in addresses, bearer tokens and the given literal values."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        # An address without a password is no secret and would hide where something failed.
        self._literal = sorted(
            {each for each in secrets if len(each) >= _SHORTEST_SECRET and "://" not in each},
            key=len,
            reverse=True,
        )

    def text(self, text: str) -> str:
        for secret in self._literal:
            text = text.replace(secret, MASK)
        for pattern, masked in _SECRET_TEXT:
            text = pattern.sub(masked, text)
        return text

    def value(self, name: str, value: object) -> object:
        """A fact as it may be written: numbers stay, everything else is text."""
        if _SECRET_NAME.search(name):
            return MASK
        if value is None or isinstance(value, bool | int | float):
            return value
        return self.text(str(value))


class _Formatter(logging.Formatter):
    def __init__(self, redact: Redaction) -> None:
        super().__init__()
        self.redact = redact

    def facts(self, record: logging.LogRecord) -> dict[str, object]:
        extra = {name: value for name, value in vars(record).items() if name not in _STANDARD}
        return {name: self.redact.value(name, value) for name, value in extra.items()}

    def trace(self, record: logging.LogRecord) -> str:
        return self.redact.text(self.formatException(record.exc_info)) if record.exc_info else ""


class JsonFormatter(_Formatter):
    """One JSON object a line: `time`, `level`, `logger`, `message`, the facts, `trace` after an error."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = self.facts(record) | {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": self.redact.text(record.getMessage()),
        }
        if record.exc_info:
            line["trace"] = self.trace(record)
        return msgspec.json.encode(line).decode()


class HumanFormatter(_Formatter):
    """`12:00:01 INFO  api: started service=api`, traces below."""

    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, UTC).strftime("%H:%M:%S")
        facts = "".join(f" {name}={value}" for name, value in self.facts(record).items())
        line = f"{at} {record.levelname:<7} {record.name}: {self.redact.text(record.getMessage())}{facts}"
        return line + (f"\n{self.trace(record)}" if record.exc_info else "")
