"""`python -m api.write_openapi`: writes `openapi.json` and `asyncapi.json`, which are committed and compared."""

from api.app import VERSION, make_routes
from api.document import asyncapi
from api.document.openapi import PATH, document, encoded


def main() -> None:
    PATH.parent.mkdir(exist_ok=True)
    PATH.write_bytes(encoded(document(make_routes())))
    asyncapi.PATH.write_bytes(asyncapi.encoded(VERSION))


if __name__ == "__main__":
    main()
