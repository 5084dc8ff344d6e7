"""Prometheus' and Alertmanager's own checks, where their tools are (Debian: prometheus, prometheus-alertmanager)."""

import shutil
import subprocess

import pytest

from tests.ops.compose import ROOT


@pytest.mark.parametrize(
    "command",
    [
        ["promtool", "check", "config", "ops/prometheus/prometheus.yml"],
        ["promtool", "test", "rules", "tests/ops/alerts_test.yml"],
        ["amtool", "check-config", "ops/alertmanager/alertmanager.yml"],
    ],
    ids=["configuration", "alerts", "alertmanager"],
)
def test_the_tool_has_nothing_against_it(command: list[str]) -> None:
    if shutil.which(command[0]) is None:
        pytest.skip(f"{command[0]} is not installed: the same files are checked by `test_monitoring` only")
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
