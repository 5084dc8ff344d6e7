import socket
from pathlib import Path

import pytest

from local import apps
from local.stack import Stack
from local.supervisor import Supervisor
from local.up import banner
from pipeline.errors import DataProcessingError


def _stack(folder: Path) -> Stack:
    environ = {"DATA_PROC_API_PORT": "21001", "DATA_PROC_FLOWER_PORT": "21002", "DATA_PROC_DATA_DIR": str(folder)}
    return Stack(folder, environ, {}, Supervisor(lambda _: None))


def test_a_port_that_the_user_sets_must_be_free() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        given = {"DATA_PROC_API_PORT": str(server.getsockname()[1])}
        with pytest.raises(DataProcessingError, match=r"DATA_PROC_API_PORT.* is in use"):
            apps.refuse_taken_ports(given)
    apps.refuse_taken_ports(given)


def test_a_usual_port_in_use_gives_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        taken = server.getsockname()[1]
        monkeypatch.setattr(apps, "_PREFERRED", {"DATA_PROC_API_PORT": taken, "DATA_PROC_FLOWER_PORT": None})
        chosen = apps.app_ports(tmp_path, {})
    assert chosen.keys() == {"DATA_PROC_API_PORT", "DATA_PROC_FLOWER_PORT"}
    assert str(taken) not in chosen.values()
    assert apps.app_ports(tmp_path, {"DATA_PROC_API_PORT": "1"}).keys() == {"DATA_PROC_FLOWER_PORT"}


def test_feeds(tmp_path: Path) -> None:
    stack = _stack(tmp_path)
    assert apps.feed(stack, "none", 1) == []
    (demo,) = apps.feed(stack, "demo", 2.5)
    assert list(demo.command)[1:] == ["-m", "local.feed", "--speed", "2.5"]
    (tmp_path / "a b.csv").touch()
    (path,) = apps.feed(stack, str(tmp_path / "a b.csv"), 1)
    assert path.once
    assert str(tmp_path / "a b.csv") in path.command
    with pytest.raises(DataProcessingError, match="neither `demo`, `none` nor a path"):
        apps.feed(stack, "demmo", 1)


def test_every_process_gets_the_stacks_variables_and_flower_stays_here(tmp_path: Path) -> None:
    stack = _stack(tmp_path)
    programs = [*apps.core(stack), apps.flower(stack)]
    assert [program.name for program in programs] == ["api", "workers", "bridge", "flower"]
    assert all(stack.environ.items() <= dict(program.environ).items() for program in programs)
    assert "--address=127.0.0.1" in programs[-1].command


def test_the_api_must_have_its_port_itself_and_metrics_where_they_are_shown(tmp_path: Path) -> None:
    stack = _stack(tmp_path)
    assert [program.ports for program in apps.core(stack)] == [(21001,), (), ()]
    shown = {"DATA_PROC_METRICS_BRIDGE_PORT": "21003", "DATA_PROC_METRICS_WORKERS_PORT": "0"}
    shown_stack = Stack(tmp_path, {**stack.environ, **shown}, {}, stack.supervisor)
    assert [program.ports for program in apps.core(shown_stack)] == [(21001,), (), (21003,)]


def test_flower_asks_for_a_login_that_is_on_no_command_line(tmp_path: Path) -> None:
    flower = apps.flower(_stack(tmp_path))
    password = (tmp_path / "secrets" / "flower-password").read_text().strip()
    assert flower.environ["FLOWER_BASIC_AUTH"] == f"gridtick:{password}"
    assert not any(name == "FLOWER_UNAUTHENTICATED_API" for name in flower.environ)
    assert not any(password in word for word in flower.command)
    shown = banner(flower.environ, "key", password)
    assert password in shown
    assert "Live prices    http://127.0.0.1:21001/\n" in shown


def test_flower_stays_where_nobody_else_has_its_port(tmp_path: Path) -> None:
    stack = _stack(tmp_path)
    assert apps.flower_moved(stack, {}, lambda _: None) is stack
    assert apps.flower_moved(stack, {"DATA_PROC_FLOWER_PORT": "1"}, lambda _: None) is stack
