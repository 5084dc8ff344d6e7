"""How much room there is where ClickHouse stores."""

from clickhouse_connect.driver.client import Client

from db.clickhouse.client import fetch
from db.clickhouse.query import Query

_FREE = "SELECT min(unreserved_space) AS free FROM system.disks"


def free_bytes(client: Client) -> int:
    """Bytes free on the fullest of the server's disks, without what merges and inserts under way have reserved."""
    return int(fetch(client, Query(_FREE, {}))["free"][0])
