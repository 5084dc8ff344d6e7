"""What was derived over all history once: each definition of a spread or curve by a mark, which changes with it."""

from collections.abc import Collection

import polars as pl
from clickhouse_connect.driver.client import Client

from db.clickhouse.frames import fetch, insert_frame
from db.clickhouse.query import Query


def marked(client: Client) -> set[str]:
    """The marks of what was derived."""
    return set(fetch(client, Query("SELECT DISTINCT toString(mark) AS mark FROM derived", {}))["mark"].to_list())


def mark(client: Client, marks: Collection[str]) -> None:
    """Remembers that these were derived."""
    insert_frame(client, "derived", pl.DataFrame({"mark": sorted(marks)}))


def forget(client: Client, marks: Collection[str]) -> None:
    """These are to be derived anew when they come back."""
    if marks:
        given = {"marks": sorted(marks)}
        statement = "ALTER TABLE derived DELETE WHERE toString(mark) IN {marks:Array(String)}"
        client.command(statement, parameters=given, settings={"mutations_sync": 1})
