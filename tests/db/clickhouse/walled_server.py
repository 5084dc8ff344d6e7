"""The stand-in for ClickHouse with a configuration of its own: `python -m … DIR PORT FILE`.

FILE lies in DIR and says which users there are; empty: the engine's usual one, who may do everything.
"""

import os
import signal
import sys

from local.clickhouse_access import PASSWORD, Access
from local.clickhouse_server import STOP_SECONDS, ClickHouseServer


def main() -> None:
    """Serve until SIGTERM."""
    folder, port, file = sys.argv[1:]
    os.chdir(folder)
    store = f"./store?config-file={file}" if file else "./store"
    server = ClickHouseServer(int(port), store, Access(os.environ[PASSWORD]))
    signal.signal(signal.SIGTERM, lambda _signal, _frame: sys.exit(0))
    try:
        server.serve_forever()
    finally:
        server.server_close()
        server.pool.close(STOP_SECONDS)


if __name__ == "__main__":
    main()
