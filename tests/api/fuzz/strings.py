"""Texts that mean something to somebody on the way: to a database, a shell, a parser, a log, a terminal.

Made by composition, the same of every run: a payload of a family between what may stand before and after it.
"""

import random
from collections.abc import Iterator
from itertools import product
from typing import Final

_SQL: Final = (
    "1=1", "SELECT 1", "SELECT pg_sleep(9)", "SELECT sleep(3)", "SELECT sleepEachRow(1) FROM numbers(9)",
    "SELECT * FROM system.tables", "SELECT * FROM pg_catalog.pg_shadow", "UNION SELECT digest FROM api_keys",
    "DROP TABLE ticks", "TRUNCATE TABLE audit", "DELETE FROM tenants", "UPDATE api_keys SET role='admin'",
    "COPY tenants TO PROGRAM 'id'", "SELECT * FROM url('http://127.0.0.1:1/', 'CSV', 'a String')",
    "SELECT * FROM file('/etc/passwd', 'CSV', 'a String')", "SELECT * FROM remote('127.0.0.1', system.one)",
    "INTO OUTFILE '/tmp/gridtick-fuzz'", "FORMAT JSON", "SETTINGS max_threads=1", "{tenant:String}",
    "{tenants:Array(String)}", "{x:Identifier}", "%(tenant)s", ":tenant", "$1", "?", "CAST(1 AS text)",
)  # fmt: skip
_BEFORE: Final = ("", "'", '"', "') ", "\\'", "'; ", "x' OR ", "`", "1) ")
_AFTER: Final = ("", " --", " /*", ";", "'")
_REDIS: Final = (
    "\r\nFLUSHALL\r\n", "*1\r\n$8\r\nFLUSHALL\r\n", "return redis.call('FLUSHALL')", "EVAL 'return 1' 0",
    "\nCONFIG SET dir /tmp\n", "{latest}:*", "]] redis.call('FLUSHDB') --[[",
)  # fmt: skip
_PATHS: Final = tuple(
    f"{up}{name}" for up, name in product(
        ("../" * 6, "..%2f" * 6, "..\\" * 6, "/", "file:///", "....//" * 4, "%2e%2e/" * 4),
        ("etc/passwd", "proc/self/environ", "secrets/demo_key"),
    )
)  # fmt: skip
_ADDRESSES: Final = (
    "http://127.0.0.1:1/", "http://169.254.169.254/latest/meta-data/", "http://[::1]:1/",
    "gopher://127.0.0.1:6379/_FLUSHALL", "dict://127.0.0.1:6379/info", "http://0x7f000001/", "http://2130706433/",
    "//example.invalid/", "jar:http://127.0.0.1!/",
)  # fmt: skip
_LOGS: Final = (
    'x\r\n{"level":"INFO","message":"forged"}', "x\n2026-07-01 INFO forged", "\x1b[31mred\x1b[0m", "\x1b]0;title\x07",
    "${jndi:ldap://127.0.0.1:1/a}", "${env:HOME}", "%s%s%s%n", "{0.__class__}", "{{7*7}}", "<%= 7*7 %>", "#{7*7}",
    "$(id)", "`id`", "; id", "| id", "&& id", "x\rset-cookie: a=b", "x\r\nX-Forged: 1", "x%0d%0aX-Forged:%201",
    "\x00", "a\x00b", "\x7f", "\x08\x08", "\u2028forged", "\u0085forged",
)  # fmt: skip
_FORMATS: Final = (
    '"}', '","tenant":"public', "{}", "[]", "null", '{"$ne":null}', '{"__proto__":{"a":1}}', "\n{}\n", "=1+1", "+1+1",
    "@SUM(1)", "-2+3+cmd|' /C calc'!A0", '"a","b"', "a,b\nc,d", "<script>alert(1)</script>",
    "<!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/passwd'>]>", "&lt;", "%", "%%", "%zz", "%00", "%ff%fe", "+", " ",
    "\t", "a b", "a&tenant=public", "a#b", "a?b=c", "a;b", "a/b/c",
)  # fmt: skip
_LETTERS: Final = (
    "\u202eabc", "\u200b", "\ufeffabc", "\ufffe", "\uffff", "e\u0301", "\u00e9", "\u212b", "\ufb01", "I\u0307", "ı",
    "ſ", "ß", "\u0660\u0661", "𝟙𝟚", "٢٠٢٦-٠٧-٠١", "\U0001f4a9", "\U000e0001", "🏴\U000e0067\U000e007f", "ＳＥＬＥＣＴ",
    "ʼ OR 1=1", "＇", "．．／", "A\u0300" * 50, "\u0e47" * 60, "نص", "null\u0000", "\ud7ff", "\ue000",
)  # fmt: skip
_LONG: Final = (
    "a" * 65,
    "a" * 257,
    "a" * 2049,
    "a" * 6000,
    "é" * 300,
    "%" * 500,
    "(" * 400,
    "'" * 500,
    "1" * 400,
    "[" * 900,
)
_GLOBS: Final = (
    "*", "%", "_", "?", "%%%%%%%%%%%%%%%%", "_" * 60, "[a-z]*", "(a+)+$", "(a|aa)+$", "(.*)*x",
    "^(([a-z])+.)+[A-Z]([a-z])+$", "a{1,99999}", "(?R)", "(?<=a", "\\", "\\\\", "\\%", "\\_", "a\\", ".*", "(?i)np15",
    "[[:alpha:]]", "[", "(", "%a%b%c%d%e%f%",
)  # fmt: skip
_NUMBERS: Final = (
    "NaN", "Infinity", "-Infinity", "1e999", "-1e999", "0x10", "0b1", "1_000", "١", "-0", "00", "1.0", "1,5",
    "9" * 30, "2147483648", "9223372036854775808", "18446744073709551616", "-1", "1e-400", "true", "TRUE", "on",
    "undefined",
)  # fmt: skip
_DAYS: Final = (
    "0000-00-00", "2026-02-30", "2026-13-01", "9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z", "2026-07-01T24:00:00Z",
    "2026-07-01T00:00:60Z", "2026-07-01T00:00:00+99:99", "2026-07-01T00:00:00.0000001Z", "-2026-07-01",
    "+012026-07-01", "2026-W27", "2026-182", "now()", "yesterday", "1751328000",
    "2026-07-01T00:00:00Z[America/New_York]", "20260701T000000Z", "1990-01-01T00:00:00+23:59",
    "2100-01-01T00:00:00-23:59", "America/../UTC", "../../etc/localtime", "posixrules", "Etc/GMT+99",
)  # fmt: skip
# Bytes that are no UTF-8 (`raw` gives them), and halves of surrogate pairs.
_BYTES: Final = (
    "\udcff", "\udcc0\udcaf", "..\udcc0\udcaf" * 3, "\udce0\udc80\udcaf", "\udcc0\udc80", "a\udc80",
    "\udcf8\udc88\udc80\udc80\udc80", "\ud800", "a\udfff", "\ud800\ud800", "\udced\udca0\udc80", "\udcfe\udcff",
    "' OR 1=1 --\udcbf", "\udcbf\udc27",
)  # fmt: skip
_CELLS: Final = tuple(
    f"{begin}{end}" for begin, end in product(
        ("'||", "'+", "\\x27", "%27", "%2527", "&#39;"), ("version()", "currentUser()", "1")
    )
)  # fmt: skip
_PLAIN: Final = (
    *_CELLS,
    *_REDIS,
    *_PATHS,
    *_ADDRESSES,
    *_LOGS,
    *_FORMATS,
    *_LETTERS,
    *_LONG,
    *_GLOBS,
    *_NUMBERS,
    *_DAYS,
)


def every(seed: int = 1) -> list[str]:
    """At least 500 of them, each once, in an order that the seed decides."""
    texts = list(dict.fromkeys(_composed()))
    random.Random(seed).shuffle(texts)
    return texts


def raw(text: str) -> bytes:
    """What is sent of a text: bytes that are no UTF-8 as they were meant."""
    try:
        return text.encode(errors="surrogateescape")
    except UnicodeEncodeError:
        return text.encode(errors="surrogatepass")


def _composed() -> Iterator[str]:
    yield from _PLAIN
    yield from _BYTES
    for number, (payload, before) in enumerate(product(_SQL, _BEFORE)):
        yield f"{before}{payload}{_AFTER[number % len(_AFTER)]}"
    for number, payload in enumerate((*_LOGS, *_GLOBS[:9])):  # after what is a good name
        yield f"{('caiso.rt_5min.', 'public', 'NG_')[number % 3]}{payload}"
