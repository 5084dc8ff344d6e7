"""The HTTP stand-in for ClickHouse, through the client that Gridtick uses."""

import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import clickhouse_connect
import pyarrow as pa
import pytest
from clickhouse_connect.driver.exceptions import DatabaseError

from local import clickhouse, ports
from local.clickhouse_server import (
    _INSERT,  # pyright: ignore[reportPrivateUsage]
    _NO_DATA,  # pyright: ignore[reportPrivateUsage]
)
from local.supervisor import Supervisor
from tests.local.asking import link, login, raw


@pytest.mark.parametrize(
    ("statement", "head", "named"),
    [
        (b"INSERT INTO t FORMAT Native\n\x01\x02", b"INSERT INTO t", b"Native"),
        (
            b"  insert into `a b`.t\n (x,\n y) settings a=1 format CSV;\r\n1",
            b"insert into `a b`.t\n (x,\n y) settings a=1",
            b"CSV",
        ),
    ],
)  # fmt: skip
def test_an_insert_with_data_is_told_apart(statement: bytes, head: bytes, named: bytes) -> None:
    found = _INSERT.match(statement)
    assert found is not None
    assert (found[1], found[2]) == (head, named)
    assert not _NO_DATA.search(found[1])


@pytest.mark.parametrize(
    "statement",
    [
        b"INSERT INTO t FORMAT Nat",  # cut off in the middle of the name
        b"SELECT 1 FORMAT Native\n",
        b"INSERT INTO t VALUES ('a FORMAT b\n')",
        b"INSERT INTO t SELECT ' FORMAT b\n'",
        b"INSERT INTO t FROM INFILE 'x' FORMAT CSV\n",
    ],
)
def test_other_statements_are_not_taken_for_one(statement: bytes) -> None:
    found = _INSERT.match(statement)
    assert found is None or _NO_DATA.search(found[1])


@pytest.fixture
def client(url: str) -> Iterator[Any]:
    made = clickhouse_connect.get_client(dsn=url, database="gridtick")
    made.command("DROP TABLE IF EXISTS t")
    made.command("CREATE TABLE t (a UInt64, b String, p Nullable(Decimal(18, 9))) ENGINE = MergeTree ORDER BY a")
    yield made
    made.close()


def _table(rows: int) -> pa.Table:
    return pa.table({"a": pa.array(range(rows), pa.uint64()), "b": [f"instrument {i % 100}" for i in range(rows)]})


@pytest.mark.stack
@pytest.mark.parametrize("compression", ["lz4", "zstd", "gzip", False])
def test_rows_come_back_as_they_went(url: str, client: Any, compression: str | bool) -> None:
    writer = clickhouse_connect.get_client(dsn=url, database="gridtick", compress=compression)
    assert writer.insert_arrow("t", _table(300_000)).written_rows == 300_000
    assert writer.insert("t", [[1, "Ω\n\t'", None]], column_names=["a", "b", "p"]).written_rows == 1
    assert client.query_arrow("SELECT a, b FROM t WHERE b LIKE 'i%' ORDER BY a").cast(_table(1).schema) == _table(
        300_000
    )
    assert client.query("SELECT b, p FROM t WHERE b NOT LIKE 'i%'").result_rows == [("Ω\n\t'", None)]
    writer.close()


@pytest.mark.stack
def test_parameters_are_bound_by_the_engine(client: Any) -> None:
    asked = "SELECT {s:String} AS s, {l:Array(String)} AS l, {n:UInt64} AS n"
    given = {"s": "a'b\t\\", "l": ["x", "y' OR 1"], "n": 2**63}
    assert client.query(asked, parameters=given).first_row == ("a'b\t\\", ["x", "y' OR 1"], 2**63)
    many = list(range(20_000))
    assert client.query("SELECT length({l:Array(UInt64)})", parameters={"l": many}).first_row == (20_000,)


@pytest.mark.stack
def test_settings_hold_for_one_statement(client: Any) -> None:
    asked = "SELECT getSetting('max_block_size')"
    before = client.query(asked).first_row
    assert client.query(asked, settings={"max_block_size": 77}).first_row == (77,)
    assert client.query(asked).first_row == before
    with pytest.raises(DatabaseError, match="CANNOT_PARSE"):
        client.query(asked + " ", settings={"max_block_size": 78, "max_threads": "many"})
    assert client.query(asked).first_row == before


@pytest.mark.stack
def test_errors_carry_the_engines_words_and_the_connection_lives_on(client: Any) -> None:
    with pytest.raises(DatabaseError, match="UNKNOWN_TABLE"):
        client.query("SELECT * FROM nowhere")
    with pytest.raises(DatabaseError, match=r"xff bad"):
        client.query("SELECT throwIf(1, '\\xff bad')")
    with pytest.raises(DatabaseError, match="UNKNOWN_TABLE"):
        client.raw_insert("nowhere", insert_block=b"x" * 8_000_000, fmt="Native")
    assert client.command("SELECT 1") == 1


@pytest.mark.stack
def test_what_the_table_does_not_take_is_refused(client: Any) -> None:
    client.command("DROP TABLE IF EXISTS narrow")
    client.command("CREATE TABLE narrow (a UInt64, CONSTRAINT small CHECK a < 5) ENGINE = MergeTree "
                   "PARTITION BY a ORDER BY a")  # fmt: skip
    with pytest.raises(DatabaseError, match="VIOLATED_CONSTRAINT"):
        client.insert("narrow", [[1], [9]], column_names=["a"])
    client.command("ALTER TABLE narrow DROP CONSTRAINT small")
    with pytest.raises(DatabaseError, match="TOO_MANY_PARTS"):
        client.insert("narrow", [[n] for n in range(200)], column_names=["a"])
    assert client.command("SELECT count() FROM narrow") == 0


@pytest.mark.stack
def test_status_tells_what_kind_of_failure(url: str) -> None:
    assert raw(url, "/?database=gridtick", b"SELECT * FROM nowhere")[0] == 404
    assert raw(url, "/?database=nowhere", b"SELECT 1")[0] == 404
    assert raw(url, "/", b"SELEC 1")[0] == 400
    assert raw(url, "/", b"\xff\xfe", Content_Encoding="zstd")[0] == 400
    assert raw(url, "/", b"\xff\xfe" * 20, Content_Encoding="lz4")[0] == 400
    assert raw(url, "/?query=SELECT+1", b"") == (200, b"1\n")


@pytest.mark.stack
def test_a_body_that_is_cut_off_stores_nothing(url: str, client: Any) -> None:
    half = link(url)
    half.putrequest("POST", "/?database=gridtick")
    half.putheader("Authorization", login(url))
    half.putheader("Content-Length", "1000000")
    half.endheaders(b"INSERT INTO t (a, b) FORMAT CSV\n1,x\n2,y\n")
    half.close()
    assert client.command("SELECT count() FROM t") == 0


@pytest.mark.stack
def test_statements_run_side_by_side(client: Any, url: str) -> None:
    slow = threading.Thread(target=raw, args=(url, "/", b"SELECT sleep(2)"))
    slow.start()
    assert client.command("SELECT 1") == 1
    assert slow.is_alive(), "the quick statement waited for the slow one"
    slow.join()


@pytest.mark.stack
def test_it_listens_on_this_machine_only(url: str) -> None:
    shown = subprocess.run(["cat", "/proc/net/tcp"], capture_output=True, text=True, check=False).stdout
    if not shown:
        pytest.skip("no /proc here")
    listening = re.findall(rf"([0-9A-F]{{8}}):{urlsplit(url).port:04X} 00000000:0000 0A", shown)
    assert listening == ["0100007F" if sys.byteorder == "little" else "7F000001"]


@pytest.mark.stack
def test_what_was_stored_is_there_after_a_restart(tmp_path: Path) -> None:
    chosen = ports.choose(tmp_path, {"clickhouse": None})["clickhouse"]
    for expected in (b"1\n", b"2\n"):
        supervisor = Supervisor(lambda _: None)
        try:
            supervisor.start([clickhouse.program(tmp_path, chosen)])
            url = clickhouse.url(tmp_path, chosen)
            raw(url, "/", b"CREATE TABLE IF NOT EXISTS kept (a UInt8) ENGINE = MergeTree ORDER BY a")
            raw(url, "/", b"INSERT INTO kept VALUES (1)")
            assert raw(url, "/", b"SELECT count() FROM kept")[1] == expected
        finally:
            supervisor.stop()
