"""How much room there is where ClickHouse stores."""

from clickhouse_connect.driver.client import Client

_FREE = "SELECT min(unreserved_space) AS free FROM system.disks"


def free_bytes(client: Client) -> int:
    """Bytes free on the fullest of the server's disks, without what merges and inserts under way have reserved."""
    return int(client.query(_FREE).result_rows[0][0])
