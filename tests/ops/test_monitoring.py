"""What Prometheus asks, what alerts and panels calculate with, and where they are shown."""

import json
import re
from collections.abc import Iterator
from typing import Any, Final

import pytest
import yaml
from flower.urls import handlers

from api.app import make_routes
from service.metrics import DEFINITIONS
from service.settings import QUEUES, load
from tests.ops.compose import ROOT, environment, ours, services

_OPS: Final = ROOT / "ops"
_SERVICES: Final = services()
# Where what is not ours listens by itself, and shows its metrics at /metrics.
_LISTENS: Final = {"prometheus": 9090, "alertmanager": 9093, "node-exporter": 9100, "cadvisor": 8080}
# Names of others' metrics: Prometheus itself, Flower, node exporter, cAdvisor.
_OTHERS: Final = {
    "up",
    "flower_worker_online",
    "node_memory_MemAvailable_bytes", "node_memory_MemTotal_bytes",
    "node_filesystem_avail_bytes", "node_filesystem_size_bytes",
    "container_cpu_usage_seconds_total",
    "container_memory_working_set_bytes", "container_spec_memory_limit_bytes",
}  # fmt: skip
_PAGE_WHEN_LIVE: Final = '{{ if eq $labels.lane "live" }}page{{ else }}ticket{{ end }}'
_LABELS: Final = {"lane", "service", "job", "instance"}  # that the configuration or Prometheus adds
_WORDS: Final = {
    "sum", "min", "max", "by", "and", "or", "rate", "deriv", "absent", "min_over_time", "histogram_quantile", "le",
}  # fmt: skip


def _yaml(path: str) -> Any:
    return yaml.safe_load((_OPS / path).read_text())


def _jobs() -> dict[str, dict[str, Any]]:
    return {job["job_name"]: job for job in _yaml("prometheus/prometheus.yml")["scrape_configs"]}


def _targets(job: dict[str, Any]) -> Iterator[tuple[str, int]]:
    """(service, port) of everything that a job asks."""
    for group in job.get("static_configs", ()):
        for target in group["targets"]:
            host, _, port = target.rpartition(":")
            yield host, int(port)
    for group in job.get("dns_sd_configs", ()):
        assert group["type"] == "A"
        for host in group["names"]:
            yield host, group["port"]


def _listens(name: str) -> int:
    """The port at which a service shows its metrics, to others than itself."""
    if name in _LISTENS:
        return _LISTENS[name]
    command = " ".join(_SERVICES[name]["command"])
    if "flower" in command:
        assert "--address=0.0.0.0" in command
        return int(command.rpartition("--port=")[2])
    settings = load(environment(_SERVICES[name]))
    if name == "api":
        assert settings.api.host == "0.0.0.0"
        return settings.api.port
    assert settings.metrics.host == "0.0.0.0"
    return settings.metrics.bridge_port if "bridge" in name else settings.metrics.workers_port


@pytest.mark.parametrize("name", sorted(_jobs()))
def test_a_target_is_a_service_at_the_port_that_it_listens_on(name: str) -> None:
    for host, port in _targets(_jobs()[name]):
        assert port == _listens(host), host
    assert "metrics_path" not in _jobs()[name]  # all show them at the usual path


def test_everything_of_ours_that_runs_on_is_asked() -> None:
    asked = [host for job in _jobs().values() for host, _ in _targets(job)]
    assert len(asked) == len(set(asked))
    assert set(asked) == (set(ours()) - {"migrate", "feed", "cli"}) | set(_LISTENS)


def test_api_and_task_monitor_have_the_route() -> None:
    """Bridge and workers are asked in `test_processes`."""
    assert "/metrics" in make_routes().openapi()["paths"]
    assert "/metrics" in {each[0] for each in handlers if isinstance(each, tuple)}


def test_alerts_go_to_the_alertmanager_of_the_project() -> None:
    config = _yaml("prometheus/prometheus.yml")
    assert (_OPS / "prometheus" / config["rule_files"][0]).exists()
    assert list(_targets(config["alerting"]["alertmanagers"][0])) == [("alertmanager", _LISTENS["alertmanager"])]
    manager = _yaml("alertmanager/alertmanager.yml")
    assert manager["route"]["receiver"] in {receiver["name"] for receiver in manager["receivers"]}


def _rules() -> list[dict[str, Any]]:
    return [rule for group in _yaml("prometheus/alerts.yml")["groups"] for rule in group["rules"]]


def _panels() -> list[dict[str, Any]]:
    path = _OPS / "grafana" / "dashboards" / "gridtick.json"
    return [panel for panel in json.loads(path.read_text())["panels"] if panel["type"] != "row"]


def _expressions() -> Iterator[str]:
    yield from (rule["expr"] for rule in _rules())
    yield from (target["expr"] for panel in _panels() for target in panel["targets"])


def _shown() -> dict[str, set[str]]:
    """Every series of the closed list as Prometheus sees it, with its labels."""
    endings = {"counter": ("_total",), "gauge": ("",), "seconds": ("_bucket", "_sum", "_count")}
    return {
        f"gridtick_{name}{ending}": {*each.labels, "le"} if ending == "_bucket" else set(each.labels)
        for name, each in DEFINITIONS.items()
        for ending in endings[each.kind]
    }


@pytest.mark.parametrize("expression", sorted(set(_expressions())))
def test_an_expression_uses_only_metrics_and_labels_that_there_are(expression: str) -> None:
    bare = re.sub(r'"[^"]*"|\[[^\]]*\]', "", expression)
    named = re.findall(r"[A-Za-z_]\w*", bare)
    ours_named = {word for word in named if word.startswith("gridtick_")}
    assert ours_named <= set(_shown())
    assert ours_named or _OTHERS & set(named)
    labels = _LABELS.union(*(_shown()[word] for word in ours_named))
    others = {word for word in named if word.startswith(("container_label_", "fstype"))}  # of cAdvisor and the node
    assert set(named) - ours_named - _OTHERS - _WORDS - labels - others == set()


def test_every_alert_says_how_bad_it_is_and_what_to_do() -> None:
    rules = _rules()
    assert len({rule["alert"] for rule in rules}) == len(rules)
    for rule in rules:
        assert rule["labels"]["severity"] in ("page", "ticket", _PAGE_WHEN_LIVE), rule["alert"]
        assert rule["annotations"]["summary"]
        assert rule["annotations"]["action"]


def test_a_queue_of_live_prices_without_workers_is_told() -> None:
    expression = next(rule["expr"] for rule in _rules() if rule["alert"] == "NoWorkers")
    told = re.findall(r'absent\(up\{service="([\w-]+)"\}\)', expression)
    assert sorted(told) == sorted(f"worker-{queue}" for queue in QUEUES)
    assert set(told) <= {host for host, _ in _targets(_jobs()["workers"])}


def test_labels_in_an_alerts_sentence_are_those_that_its_expression_leaves() -> None:
    for rule in _rules():
        said = set(re.findall(r"\$labels\.(\w+)", json.dumps(rule["annotations"])))
        kept = re.search(r"sum by \(([\w, ]+)\)", rule["expr"])
        if kept:
            assert said <= set(kept[1].split(", ")), rule["alert"]


def test_settings_and_topics_in_an_alerts_sentence_exist() -> None:
    text = (_OPS / "prometheus" / "alerts.yml").read_text()
    others = {"DATA_PROC_BRIDGE_RESEND_AFTER_S": "30", "DATA_PROC_BRIDGE_BREAKER": "off"}
    load(dict.fromkeys(re.findall(r"DATA_PROC_\w+", text), "33554432") | others)
    assert set(re.findall(r"[a-z]+\.[a-z]+\.v1", text)) == {load({}).kafka.deadletter_topic}


def test_panels_ask_the_data_source_that_is_set_up() -> None:
    source = _yaml("grafana/provisioning/datasources/prometheus.yml")["datasources"][0]
    assert source["url"] == f"http://prometheus:{_LISTENS['prometheus']}"
    assert {panel["datasource"]["uid"] for panel in _panels()} == {source["uid"]}


def test_panels_do_not_overlap() -> None:
    cells = [
        (x, y)
        for panel in _panels()
        for at in [panel["gridPos"]]
        for x in range(at["x"], at["x"] + at["w"])
        for y in range(at["y"], at["y"] + at["h"])
    ]
    assert len(cells) == len(set(cells))
    assert max(x for x, _ in cells) < 24


def test_grafana_finds_what_is_mounted() -> None:
    mounted = {volume.split(":")[0]: volume.split(":")[1] for volume in _SERVICES["grafana"]["volumes"]}
    assert mounted["./ops/grafana/provisioning"] == "/etc/grafana/provisioning"
    provider = _yaml("grafana/provisioning/dashboards/gridtick.yml")["providers"][0]
    assert mounted["./ops/grafana/dashboards"] == provider["options"]["path"]


@pytest.mark.parametrize("name", ["prometheus", "alertmanager"])
def test_a_server_reads_the_file_that_is_mounted(name: str) -> None:
    folder, at = next(
        volume.split(":")[:2] for volume in _SERVICES[name]["volumes"] if volume.startswith(f"./ops/{name}")
    )
    option = next(part for part in _SERVICES[name]["command"] if part.startswith("--config.file="))
    assert option == f"--config.file={at}/{name}.yml"
    assert (ROOT / folder / f"{name}.yml").exists()
