"""`gridtick keys` and `gridtick tenants`: on real servers, and what is refused before any is asked."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import polars as pl
import pytest
from typer.testing import CliRunner, Result

from gridtick.cli.main import build
from gridtick.cli.spans import end, span
from local.stack import PEPPER, PEPPER_BEFORE, Stack
from pipeline.errors import DataProcessingError
from service import apikey
from service.settings import Settings
from tests.api.running_api import stored, ticks

NOW = datetime(2026, 7, 1, tzinfo=UTC)


@pytest.fixture
def tenant() -> str:
    return f"t-{uuid4().hex[:12]}"


@pytest.fixture
def _here(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in stack.environ.items():
        monkeypatch.setenv(name, value)


def call(*arguments: str) -> Result:
    return CliRunner().invoke(build(("keys", "tenants", "audit")), list(arguments))


def fine(*arguments: str) -> str:
    answer = call(*arguments)
    assert answer.exit_code == 0, answer.output or answer.exception
    return answer.stdout


def refused(*arguments: str) -> str:
    error = call(*arguments).exception
    assert isinstance(error, DataProcessingError)
    return error.message


def _rows(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def _parsed(text: str) -> apikey.ApiKey:
    key = apikey.parse(text.strip())
    assert key is not None
    return key


@pytest.mark.stack
@pytest.mark.usefixtures("_here")
def test_keys_are_made_rotated_and_revoked(stack: Stack, tenant: str, monkeypatch: pytest.MonkeyPatch) -> None:
    fine("tenants", "create", tenant, "--name", "A tenant")
    first = _parsed(fine("keys", "create", "--tenant", tenant, "--name", "n", "--scope", "prices:read"))
    monkeypatch.setenv(PEPPER, "a newer pepper")
    monkeypatch.setenv(PEPPER_BEFORE, stack.environ[PEPPER])
    second = _parsed(fine("keys", "rotate", first.id, "--keep", "0", "--expires", "90d"))
    assert "is revoked since" in fine("keys", "revoke", second.id)
    one, two = _rows(fine("keys", "ls", "--tenant", tenant))
    assert (one["id"], one["pepper"], one["scopes"]) == (first.id, "before", ["prices:read"])
    assert (two["id"], two["pepper"], two["replaces"]) == (second.id, "present", first.id)
    assert (two["created_by"], two["scopes"]) == ("cli", ["prices:read"])
    assert two["revoked_at"] is not None
    actions = [(each["actor"], each["action"]) for each in _rows(fine("audit", "ls", "--tenant", tenant))]
    assert actions == [("cli", each) for each in ("tenant.create", "key.create", "key.rotate", "key.revoke")]
    assert "there is no key 'nobody'" in refused("keys", "revoke", "nobody")


@pytest.mark.stack
@pytest.mark.usefixtures("_here")
def test_a_tenant_is_limited_suspended_exported_and_erased(settings: Settings, tenant: str, tmp_path: Path) -> None:
    fine("tenants", "create", tenant, "--name", "A tenant")
    assert "markets: caiso,ercot\n" in fine("tenants", "limit", tenant, "--markets", "ercot,caiso")
    shown = fine("tenants", "limit", tenant, "--markets", "all", "--rows-per-day", "7")
    assert "markets: -\n" in shown
    assert "rows_per_day: 7\n" in shown
    assert "suspended_at: 20" in fine("tenants", "suspend", tenant)
    assert "is suspended" in refused("keys", "create", "--tenant", tenant, "--name", "n")
    assert "suspended_at: -" in fine("tenants", "resume", tenant)
    fine("keys", "create", "--tenant", tenant, "--name", "n")
    stored(settings, ticks(tenant, "NG_HH_BALMO", ["1.5", "2.5"], NOW))
    told = fine("tenants", "export", tenant, "--to", str(tmp_path))
    assert "ticks-2026-07.parquet: 2 rows" in told
    assert pl.read_parquet(tmp_path / "ticks-2026-07.parquet").height == 2
    assert [each["tenant"] for each in _rows((tmp_path / "api_keys.ndjson").read_text())] == [tenant]
    assert "clickhouse ticks: 2 rows deleted" in fine("tenants", "erase", tenant, "--yes", "--confirm", tenant)
    assert "erased_at: 20" in fine("tenants", "show", tenant)
    assert tenant in {each["id"] for each in _rows(fine("tenants", "ls"))}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("keys", "create", "--name", "n", "--role", "emperor"), "none of viewer"),
        (("keys", "create", "--name", "n", "--role", "viewer", "--scope", "keys:admin"), "none of viewer: bars:read"),
        (("keys", "create", "--name", "n", "--expires", "2020-01-01T00:00:00Z"), "lies in the past"),
        (("keys", "create", "--name", "n", "--expires", "soon"), "90d or"),
        (("keys", "create", "--name", "n"), "DATA_PROC_API_KEY_PEPPER is empty"),
        (("keys", "rotate", "x", "--keep", "1w"), "Write e.g. 30m"),
        (("tenants", "create", "Acme", "--name", "n"), "no id of a tenant"),
        (("tenants", "create", "acme", "--name", ""), "--name"),
        (("tenants", "limit", "acme"), "Say what changes"),
        (("tenants", "limit", "acme", "--markets", "MISO"), "lower case"),
        (("tenants", "limit", "acme", "--history-days", "0"), "greater than or equal to 1"),
        (("tenants", "limit", "acme", "--history-days", "many"), "no number"),
        (("tenants", "erase", "acme"), "with --yes"),
        (("tenants", "erase", "acme", "--yes"), "--confirm acme"),
        (("tenants", "erase", "acme", "--yes", "--confirm", "acne"), "--confirm acme"),
    ],
)
def test_wrong_use_is_refused_before_any_server_is_asked(
    arguments: tuple[str, ...], words: str, tmp_path: Path
) -> None:
    assert words in refused(*arguments, "--data-dir", str(tmp_path))


def test_lengths_of_time_are_read() -> None:
    assert [span("--keep", each) for each in ("0", "90s", "24h", "7d")] == [
        timedelta(0), timedelta(seconds=90), timedelta(hours=24), timedelta(days=7),
    ]  # fmt: skip
    assert end("--expires", "30m", NOW) == NOW + timedelta(minutes=30)
    assert end("--expires", "2026-07-01T01:00:00+00:00", NOW) == NOW + timedelta(hours=1)
    assert end("--expires", None, NOW) is None
