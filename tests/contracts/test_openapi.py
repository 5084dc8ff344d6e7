import msgspec

from api import openapi
from api.app import make_routes


def test_the_committed_document_is_the_one_of_the_program() -> None:
    made = openapi.encoded(openapi.document(make_routes()))
    assert openapi.PATH.read_bytes() == made, "run `python -m api.write_openapi` and commit openapi/openapi.json"


def test_every_operation_is_named_described_and_refuses_in_one_shape() -> None:
    document = openapi.document(make_routes())
    operations = [(path, each) for path, methods in document["paths"].items() for each in methods.values()]
    ids = [each["operationId"] for _, each in operations]
    assert len(set(ids)) == len(ids)
    for path, each in operations:
        assert each["description"], path
        if path.startswith("/v1/"):
            assert each["security"], path
            assert "application/problem+json" in each["responses"]["422"]["content"], path


def test_every_reference_leads_somewhere() -> None:
    document = openapi.document(make_routes())
    known = document["components"]["schemas"]
    text = msgspec.json.encode(document).decode()
    for part in text.split('"$ref":"#/components/schemas/')[1:]:
        assert part.split('"')[0] in known
