import json
import socket
import subprocess
import sys
from pathlib import Path

from local import ports


def _listening() -> socket.socket:
    server = socket.create_server(("127.0.0.1", 0))
    server.listen()
    return server


def test_a_port_with_a_server_is_not_free() -> None:
    with _listening() as server:
        port = server.getsockname()[1]
        assert not ports.is_free(port)
    assert ports.is_free(port)


def test_ports_are_remembered_and_differ(tmp_path: Path) -> None:
    names = dict.fromkeys(["a", "b", "c"])
    first = ports.choose(tmp_path, names)
    assert len(set(first.values())) == 3
    assert ports.choose(tmp_path, names) == first


def test_a_remembered_port_that_was_taken_gives_way(tmp_path: Path) -> None:
    with _listening() as server:
        taken = server.getsockname()[1]
        (tmp_path / "ports.json").write_text(json.dumps({"a": taken, "b": 21_000}))
        chosen = ports.choose(tmp_path, {"a": None})
    assert chosen["a"] not in (taken, 21_000)
    assert json.loads((tmp_path / "ports.json").read_text()) == {"a": chosen["a"], "b": 21_000}


def test_a_wanted_port_is_taken_if_free(tmp_path: Path) -> None:
    with _listening() as server:
        free = server.getsockname()[1]
    assert ports.choose(tmp_path, {"a": free, "b": free})["a"] == free
    assert ports.choose(tmp_path, {"b": free})["b"] != free


def test_a_port_that_another_stack_has_chosen_and_not_opened_yet_gives_way(tmp_path: Path) -> None:
    with _listening() as server:
        wanted = server.getsockname()[1]
    other = (
        "import pathlib, sys; from local import ports;"
        f"print(ports.choose(pathlib.Path({str(tmp_path / 'other')!r}), {{'a': {wanted}}}), flush=True);"
        "sys.stdin.read()"
    )
    for folder in ("other", "own"):
        (tmp_path / folder).mkdir()
    with subprocess.Popen(
        [sys.executable, "-c", other], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as stack:
        assert stack.stdout is not None
        assert str(wanted) in stack.stdout.readline()
        assert ports.choose(tmp_path / "own", {"a": wanted})["a"] != wanted
        stack.communicate()
    (tmp_path / "third").mkdir()
    assert ports.choose(tmp_path / "third", {"a": wanted})["a"] == wanted
