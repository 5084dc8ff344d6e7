from collections.abc import Iterator

import pytest

from local import clickhouse, ports
from local.supervisor import Supervisor


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a stand-in for ClickHouse, with a database `gridtick`."""
    folder = tmp_path_factory.mktemp("click house?")
    supervisor = Supervisor(lambda _: None)
    chosen = ports.choose(folder, {"clickhouse": None})["clickhouse"]
    supervisor.start([clickhouse.program(folder, chosen)])
    made = clickhouse.url(folder, chosen)
    clickhouse.ensure_database(made, "gridtick")
    yield made
    supervisor.stop()
