"""`python -m api.write_openapi`: writes `openapi/openapi.json`, the document that is committed and compared."""

from api.app import make_routes
from api.document.openapi import PATH, document, encoded


def main() -> None:
    PATH.parent.mkdir(exist_ok=True)
    PATH.write_bytes(encoded(document(make_routes())))


if __name__ == "__main__":
    main()
