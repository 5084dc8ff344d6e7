"""The client's reads of the audit record."""

import httpx

from gridtick.client import Client

KEY = "gt_live_abcdefghijkl_S3cretS3cretS3cretS3cretS3cret12_0a1b2c3d"


def test_records_come_page_by_page() -> None:
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        following = '"more"' if len(asked) == 1 else "null"
        row = f'{{"seq":{len(asked)},"detail":{{"count":3}}}}'
        return httpx.Response(200, content=f'{{"data":[{row}],"next":{following},"query":{{}}}}')

    client = Client("http://api.test", KEY, transport=httpx.MockTransport(answer))
    found = list(client.audit.list(action="access.denied", since="2026-07-01T00:00:00Z"))
    assert [(each["seq"], each["detail"]) for each in found] == [(1, {"count": 3}), (2, {"count": 3})]
    assert asked[0].url.path == "/v1/admin/audit"
    given = {"action": "access.denied", "since": "2026-07-01T00:00:00Z", "limit": "1000"}
    assert dict(asked[0].url.params) == given
    assert dict(asked[1].url.params) == given | {"cursor": "more"}
