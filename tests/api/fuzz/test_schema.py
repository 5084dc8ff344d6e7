"""Requests that Schemathesis makes up from the OpenAPI document, against the API as it runs on the real stores.

`FUZZ_CASES` and `FUZZ_SEED` ask for more, and for others (`make fuzz`).
"""

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from local.stack import Stack
from pipeline.schema import PUBLIC
from tests.api.fuzz import rooms, stores
from tests.api.fuzz.world import CUSTOMER, RIVAL, World, world
from tests.api.running_api import ROOT

pytestmark = pytest.mark.stack
CASES: Final = int(os.environ.get("FUZZ_CASES", "5000"))
SEED: Final = int(os.environ.get("FUZZ_SEED", "1"))
_CONFIG: Final = Path(__file__).with_name("schemathesis.toml")
# The coverage of the schemas has a number of its own; the rest is shared by the operations that take parameters.
_COVERAGE: Final = 3_500
_OPERATIONS: Final = 40
_EXAMPLES: Final = (CASES - _COVERAGE) // _OPERATIONS
_SHOWN: Final = 20_000  # characters of what Schemathesis found
Tally = Counter[tuple[str, int]]


@pytest.fixture(scope="module")
def running(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world(stack, tmp_path_factory.mktemp("fuzz")) as made:
        yield made


def run(running: World, tenant: str, examples: int, phases: str) -> Tally:
    """How many answers of each status each operation gave; fails with what Schemathesis has found."""
    tally = _tally_file(running, tenant)
    who = {
        "FUZZ_TENANT": tenant, "FUZZ_KEY_ID": running.keys[tenant].id, "FUZZ_TALLY": str(tally),
        "FUZZ_HIDDEN": "" if tenant == PUBLIC else RIVAL,
    }  # fmt: skip
    options = ["--workers", "2", "--max-examples", str(examples), "--seed", str(SEED), "--phases", phases, "--no-color"]
    header = f"Authorization: {running.headers(tenant)['Authorization']}"
    command = [sys.executable, "-m", "schemathesis.cli", "--config-file", str(_CONFIG), "run", *options]
    address = [f"{running.url}/openapi.json", "--header", header]
    every = {**os.environ, **who}
    ended = subprocess.run([*command, *address], check=False, cwd=ROOT, env=every, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stdout[-_SHOWN:] + ended.stderr[-_SHOWN:]
    return read_tally(running, tenant)


def _tally_file(running: World, tenant: str) -> Path:
    return running.log.with_name(f"{tenant}.tally")


def read_tally(running: World, tenant: str) -> Tally:
    """What a run has counted; nothing where it has not run."""
    file = _tally_file(running, tenant)
    lines = (line.split() for line in file.read_text().splitlines()) if file.exists() else ()
    return Counter((operation, int(status)) for operation, status in lines)


def good(tally: Tally) -> set[str]:
    """The operations that were answered with success."""
    return {operation for operation, status in tally if status < 300}


def test_a_customer_is_shown_nothing_of_others(running: World) -> None:
    tally = run(running, CUSTOMER, max(15, _EXAMPLES // 10), "examples,fuzzing,stateful")
    assert good(tally) >= {"list_ticks", "list_keys", "list_audit_records", "list_latest_prices", "create_key"}


def test_the_operator_finds_no_failure_and_no_answer_that_is_not_described(running: World) -> None:
    tally = run(running, PUBLIC, _EXAMPLES, "examples,coverage,fuzzing,stateful")
    assert sum(number for (_, status), number in tally.items() if status < 300) >= tally.total() / 10
    assert good(tally) >= {
        "list_ticks", "list_bars", "list_basis", "list_snapshots", "explain_bar", "explain_snapshot", "explain_spread",
        "show_coverage", "create_key", "create_tenant", "limit_tenant", "load_reference_table",
    }  # fmt: skip


def test_as_many_were_made_up_as_were_asked_for(running: World, capsys: pytest.CaptureFixture[str]) -> None:
    tally = read_tally(running, CUSTOMER) + read_tally(running, PUBLIC)
    statuses = Counter[int]()
    for (_, status), number in sorted(tally.items(), key=lambda each: each[0][1]):
        statuses[status] += number
    with capsys.disabled():
        print(f"\nmade up: {tally.total()} requests, {dict(statuses)}")  # noqa: T201
    assert tally.total() >= CASES


def test_every_line_of_the_log_is_one_object(running: World) -> None:
    for line in running.log.read_text().splitlines():
        assert isinstance(json.loads(line), dict), line


async def test_no_secret_is_written_anywhere(running: World) -> None:
    keys = {f"key of {name}": key.secret for name, key in running.keys.items()}
    secrets = rooms.secrets(running.stack, running.settings) | keys
    held = {"log": running.log.read_text(), **await stores.texts(running.settings)}
    found = [f"{name} in {where}" for where, text in held.items() for name, each in secrets.items() if each in text]
    assert not found
