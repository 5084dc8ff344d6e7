"""Whether anything was stored in a range is told exactly enough: no change goes unseen."""

from datetime import datetime, timedelta

import pytest
from clickhouse_connect.driver.client import Client

from db.clickhouse import stand
from db.clickhouse.frames import fetch
from tests.db.clickhouse.rows import DAY, document, fresh_tenant, land

pytestmark = pytest.mark.stack
DAYS = timedelta(days=3)
# Months that no other test of this run stores anything in.
ONE, OTHER = DAY.replace(year=1993), DAY.replace(year=1993, month=5)


def _stand(client: Client, at: datetime) -> object:
    return fetch(client, stand.bars(at - DAYS, at + DAYS)).rows()


def test_what_is_stored_in_the_range_changes_it_and_nothing_else_does(client: Client) -> None:
    tenant = fresh_tenant()
    land(client, [document(tenant, ONE, "1"), document(tenant, OTHER, "1")])
    first, other = _stand(client, ONE), _stand(client, OTHER)
    land(client, [document(tenant, ONE, "2", version=1, offset=1)])
    corrected = _stand(client, ONE)
    assert corrected != first
    assert _stand(client, OTHER) == other
    client.command("OPTIMIZE TABLE bars PARTITION 199303 FINAL")
    assert _stand(client, ONE) == corrected
    client.command("DELETE FROM bars WHERE tenant = {t:String}", parameters={"t": tenant})
    assert _stand(client, ONE) != corrected
