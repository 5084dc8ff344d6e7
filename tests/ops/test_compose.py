"""docker-compose.yml: its form, its images, and that what it names exists."""

import json
import re
from importlib.resources import files
from importlib.util import find_spec
from typing import Any
from urllib.parse import urlsplit
from xml.etree import ElementTree

import pytest
import yaml
from jsonschema.validators import validator_for

from service.settings import LANES, QUEUES, load
from tests.ops.compose import ROOT, environment, ours, project, raw, services, variables
from workers.queues import queues_of, served

_SERVERS = {"kafka", "clickhouse", "postgres", "redis"}
_MONITORING = {"prometheus", "grafana", "alertmanager", "node-exporter", "cadvisor"}
_ONE_SHOT = {"migrate", "feed", "cli"}  # they end, or nothing waits for them
_SERVICES = services()
_OURS = ours()


def _compose_schema() -> dict[str, Any]:
    """The Compose specification's own schema, as the package check-jsonschema ships it."""
    path = files("check_jsonschema").joinpath("builtin_schemas/vendor/compose-spec.json")
    return json.loads(path.read_text())


@pytest.mark.parametrize("read", [raw, project])
def test_the_file_follows_the_schema_of_the_specification(read: Any) -> None:
    schema = _compose_schema()
    errors = validator_for(schema)(schema).iter_errors(json.loads(json.dumps(read())))
    assert [f"{error.json_path}: {error.message}" for error in errors] == []


def test_the_schema_refuses_what_is_no_compose_file() -> None:
    schema = _compose_schema()
    wrong = {"services": {"api": {"image": "x", "healthchek": {}}}}
    assert not validator_for(schema)(schema).is_valid(wrong)


def test_no_key_stands_twice() -> None:
    """YAML takes the last of two equal keys in silence."""

    def keys(node: yaml.Node) -> None:
        if isinstance(node, yaml.MappingNode):
            named = [key.value for key, _ in node.value]
            assert sorted(named) == sorted(set(named)), node.start_mark
        for child in node.value if isinstance(node.value, list) else ():
            for each in child if isinstance(child, tuple) else (child,):
                keys(each)

    node = yaml.compose((ROOT / "docker-compose.yml").read_text())
    assert node is not None
    keys(node)


def test_every_part_of_the_system_is_there() -> None:
    workers = {f"worker-{queue}" for queue in QUEUES} | {"worker-backfill"}
    assert set(_OURS) == workers | {"migrate", "bridge", "bridge-backfill", "api", "flower", "feed", "cli"}
    assert set(_SERVICES) == set(_OURS) | _SERVERS | _MONITORING
    profiles = {name: service.get("profiles") for name, service in _SERVICES.items()}
    assert {name for name, named in profiles.items() if named == ["monitoring"]} == _MONITORING


@pytest.mark.parametrize("name", sorted(set(_SERVICES) - set(_OURS)))
def test_an_image_is_pinned_by_exact_tag_and_digest(name: str) -> None:
    assert re.fullmatch(r"[a-z0-9./-]+:v?\d+\.\d+[\w.-]*@sha256:[0-9a-f]{64}", _SERVICES[name]["image"])


def test_our_image_has_the_version_of_the_program_and_is_built_here() -> None:
    version = re.search(r'^version = "(.+)"', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    assert version
    for service in _OURS.values():
        assert (service["image"], service["pull_policy"]) == (f"gridtick:{version[1]}", "never")


def test_one_service_builds_our_image() -> None:
    """Where several export one name at a time, the newer image store of Docker fails: `already exists`."""
    assert {name: service["build"] for name, service in _SERVICES.items() if "build" in service} == {"migrate": "."}
    assert all("migrate" in _before(name) for name in set(_OURS) - {"migrate", "flower", "cli"})


def test_all_of_ours_take_the_operators_own_settings_where_there_are_any() -> None:
    files = {json.dumps(service.get("env_file")) for service in _OURS.values()}
    assert files == {'[{"path": "settings.env", "required": false}]'}
    assert "settings.env" in (ROOT / ".gitignore").read_text().splitlines()


@pytest.mark.parametrize("name", sorted(_OURS))
def test_the_program_takes_the_environment(name: str) -> None:
    assert load(environment(_OURS[name])).core.env == "production"


def test_the_api_alone_reads_clickhouse_as_the_user_for_reads() -> None:
    settings = {name: load(environment(service)).clickhouse for name, service in _OURS.items()}
    assert [name for name, each in settings.items() if each.has_reader] == ["api"]
    server, login = _SERVICES["clickhouse"], urlsplit(settings["api"].read_url.get_secret_value())
    file = ROOT / "ops" / "clickhouse" / "gridtick_reader.xml"
    users = ElementTree.parse(file)
    assert f"./ops/clickhouse/{file.name}:/etc/clickhouse-server/users.d/{file.name}:ro" in server["volumes"]
    passwords = users.findall(f"users/{login.username}/password")
    assert [environment(server)[each.attrib["from_env"]] for each in passwords] == [login.password]
    assert [each.tag for each in users.findall(f"users/{login.username}/databases/*")] == [settings["api"].database]


def test_each_queue_of_live_prices_has_workers_of_its_own() -> None:
    served: list[str] = []
    for name, service in _OURS.items():
        if service["command"][-1] == "workers.serve":
            settings = load(environment(service))
            assert service["deploy"]["replicas"] >= 1
            assert name == f"worker-{settings.celery.queues or settings.core.lane}"
            served += [settings.celery.queues] if settings.core.lane == "live" else []
    assert sorted(served) == sorted(QUEUES)


def test_all_queues_of_both_lanes_are_served() -> None:
    workers = [load(environment(each)) for each in _OURS.values() if each["command"][-1] == "workers.serve"]
    queues = [queue for settings in workers for queue in served(settings)]
    assert sorted(queues) == sorted(name for lane in LANES for name in queues_of(lane).values())


def test_each_lane_has_a_bridge_and_workers() -> None:
    lanes = {name: load(environment(service)).core.lane for name, service in _OURS.items()}
    assert {name for name, lane in lanes.items() if lane == "backfill"} == {"bridge-backfill", "worker-backfill"}


def test_history_and_the_demo_give_way() -> None:
    """As they do by `nice` on one machine, which containers do not see of each other."""
    behind = {name for name, service in _SERVICES.items() if service.get("cpu_shares", 1024) < 1024}
    assert behind == {"bridge-backfill", "worker-backfill", "feed"}


@pytest.mark.parametrize("name", sorted(_OURS))
def test_every_address_is_a_server_that_is_waited_for(name: str) -> None:
    values = [value for key, value in environment(_OURS[name]).items() if key.startswith("DATA_PROC_") and ":" in value]
    hosts = {urlsplit(value if "//" in value else f"//{value}").hostname for value in values}
    assert hosts == ({"redis"} if name == "flower" else _SERVERS)
    assert name == "cli" or hosts <= _before(name)  # a command line is run by hand


def _before(name: str) -> set[str]:
    """What is started, and works, before this service."""
    direct: dict[str, Any] = _SERVICES[name].get("depends_on", {})
    return set(direct).union(*(_before(each) for each in direct))


def test_what_is_waited_for_can_tell() -> None:
    for service in _SERVICES.values():
        for other, how in service.get("depends_on", {}).items():
            if how["condition"] == "service_healthy":
                assert "test" in _SERVICES[other]["healthcheck"]
            else:
                assert _SERVICES[other]["restart"] == "no"


@pytest.mark.parametrize("name", sorted(_OURS))
def test_a_command_is_a_module_or_a_program_of_ours(name: str) -> None:
    service = _OURS[name]
    if name == "cli":
        assert service["entrypoint"] == ["gridtick"]
        return
    python, option, module = service["command"][:3]
    assert (python, option) == ("python", "-m")
    found = find_spec(module)
    assert found is not None
    assert not found.submodule_search_locations or find_spec(f"{module}.__main__")  # a package needs one to be run


@pytest.mark.parametrize("name", sorted(set(_SERVICES) - _ONE_SHOT))
def test_what_runs_on_has_a_health_check_and_is_started_again(name: str) -> None:
    assert _SERVICES[name]["healthcheck"]["test"][0] in ("CMD", "CMD-SHELL")
    assert _SERVICES[name]["restart"] == "unless-stopped"


@pytest.mark.parametrize("name", sorted(_SERVICES))
def test_a_service_is_bounded(name: str) -> None:
    service = _SERVICES[name]
    assert service["deploy"]["resources"]["limits"]["memory"]
    assert service["logging"]["options"]["max-size"]
    assert "no-new-privileges:true" in service["security_opt"]


@pytest.mark.parametrize("name", sorted(_OURS))
def test_our_containers_can_do_little(name: str) -> None:
    service = _OURS[name]
    assert (service["read_only"], service["cap_drop"], service["init"]) == (True, ["ALL"], True)
    assert [mount.partition(":")[0] for mount in service["tmpfs"]] == ["/tmp"]
    written = "/var/lib/gridtick" if name == "cli" else "/tmp"
    assert [volume.partition(":")[2] for volume in service.get("volumes", ())] == ([written] if name == "cli" else [])
    assert load(environment(service)).core.data_dir.is_relative_to(written)


def test_a_worker_has_room_for_the_process_that_it_would_replace() -> None:
    for service in _OURS.values():
        if service["command"][-1] == "workers.serve":
            celery = load(environment(service)).celery
            limit = int(service["deploy"]["resources"]["limits"]["memory"].removesuffix("M"))
            assert limit >= 256 + celery.concurrency * celery.max_memory_mib


def test_only_pages_for_people_are_published_and_on_this_machine_only() -> None:
    published = {name: service["ports"] for name, service in _SERVICES.items() if "ports" in service}
    assert set(published) == {"api", "grafana", "prometheus"}
    assert all(port.startswith("127.0.0.1:") for ports in published.values() for port in ports)
    assert published["api"][0].endswith(":" + environment(_OURS["api"])["DATA_PROC_API_PORT"])


def test_what_is_mounted_is_there() -> None:
    named = set(project()["volumes"])
    used: set[str] = set()
    for name, service in _SERVICES.items():
        for volume in service.get("volumes", ()):
            source = volume.partition(":")[0]
            if source.startswith("./"):
                assert (ROOT / source).exists(), volume  # where it is not, Docker makes a folder
                assert volume.endswith(":ro")
            elif source.startswith("/"):
                assert name in {"node-exporter", "cadvisor"}
            else:
                used.add(source)
    assert used == named


def test_no_secret_stands_in_the_file() -> None:
    secret = re.compile(r"(PASSWORD|PEPPER|SECRET|AUTH)$")
    for name, service in raw()["services"].items():
        for key, value in service.get("environment", {}).items():
            if secret.search(key):
                assert re.search(r"\$\{GRIDTICK_\w+:\?.+\}$", str(value)), (name, key)
            without = re.sub(r"\$\{GRIDTICK_\w+:\?[^}]*\}", "", str(value))
            assert not re.search(r"://[^@/]*:[^@/]+@", without), (name, key)


def test_a_variable_has_a_default_or_says_how_to_set_it() -> None:
    for variable in variables():
        assert variable.name.startswith("GRIDTICK_")
        assert variable.kind == ":-" or (variable.kind == ":?" and "ops/env.sh" in variable.rest), variable
