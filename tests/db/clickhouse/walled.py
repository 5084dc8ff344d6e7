"""ClickHouse's engine on a data folder with the shipped user for reads as its only user, or with one that is changed.

The embedded engine runs everything as its user `default`; that one is given what the shipped file gives to the reader.
"""

import shutil
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from pydantic import SecretStr

from local import clickhouse, ports
from local.clickhouse_access import PASSWORD
from local.process import Program
from local.supervisor import Supervisor
from service.settings import ClickHouse

ROOT: Final = Path(__file__).resolve().parents[3]
SHIPPED: Final = ROOT / "ops" / "clickhouse" / "gridtick_reader.xml"
_KEY: Final = "walls"
# As the server's own configuration has it; the engine's defaults are those of old versions.
_CONFIG: Final = """
<clickhouse>
    <users_config>{users}</users_config>
    <user_directories><users_xml><path>{users}</path></users_xml></user_directories>
    <access_control_improvements>
        <users_without_row_policies_can_read_rows>true</users_without_row_policies_can_read_rows>
        <select_from_system_db_requires_grant>true</select_from_system_db_requires_grant>
        <select_from_information_schema_requires_grant>true</select_from_information_schema_requires_grant>
        <settings_constraints_replace_previous>true</settings_constraints_replace_previous>
    </access_control_improvements>
</clickhouse>"""

Change = Callable[[Element], None]


def reader(users: Element) -> Element:
    """The user in the shipped file."""
    found = users.find("users/gridtick_reader")
    assert found is not None
    return found


def as_shipped(_user: Element) -> None:
    """Changes nothing."""


@contextmanager
def serving(folder: Path, change: Change | None = None) -> Generator[ClickHouse]:
    """The settings that reach it, while it runs; without a change its user may do everything."""
    file = "" if change is None else _configured(folder, change)
    port = ports.choose(folder, {"clickhouse": None})["clickhouse"]
    url = f"http://gridtick:{_KEY}@127.0.0.1:{port}"
    supervisor = Supervisor(lambda _: None)
    supervisor.start([_program(folder, port, url, file)])
    try:
        yield ClickHouse(url=SecretStr(url), read_url=SecretStr(url), database="gridtick")
    finally:
        supervisor.stop()


@contextmanager
def copied(folder: Path, change: Change) -> Generator[ClickHouse]:
    """The same over a copy of the folder's data: two engines do not open one."""
    copy = folder.with_name(f"{folder.name}-copy")
    shutil.copytree(folder / "store", copy / "store", symlinks=True)
    try:
        with serving(copy, change) as settings:
            yield settings
    finally:
        shutil.rmtree(copy)


def _program(folder: Path, port: int, url: str, file: str) -> Program:
    command = [sys.executable, "-m", "tests.db.clickhouse.walled_server", str(folder), str(port), file]
    return Program(
        "clickhouse", command, ROOT, folder / "clickhouse.log", ready=lambda: clickhouse.answers(url),
        stop_within=20, ports=(port,), environ={PASSWORD: _KEY},
    )  # fmt: skip


def _configured(folder: Path, change: Change) -> str:
    """The name of the configuration."""
    shipped = ElementTree.parse(SHIPPED).getroot()
    user = reader(shipped)
    change(user)
    for grants in user.findall("grants"):  # the stand-in says `USE default`, which no server needs
        SubElement(grants, "query").text = "GRANT SHOW DATABASES ON default.*"
    user.tag = "default"
    for password in user.findall("password"):
        password.attrib.clear()
    SubElement(SubElement(shipped, "quotas"), "default")
    for profiles in shipped.findall("profiles"):
        SubElement(profiles, "default")
    (folder / "users.xml").write_bytes(ElementTree.tostring(shipped))
    (folder / "config.xml").write_text(_CONFIG.format(users=folder / "users.xml"))
    return "config.xml"
