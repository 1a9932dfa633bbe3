"""Whatever is sent, it gets a status and a sentence of the contract, and the next request works."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from chalicelib import runtime
from chalicelib.local.composition import STORE_PATH
from chalicelib.repository import Decoder
from chalicelib.settings import Settings
from tests import pictures
from tests.http.client import BOUNDARY, FORM, JSON, Answer, Api, assert_refused, field_part, file_part, form
from tests.http.conftest import PUBLIC_URL, in_process_api

PICTURE = pictures.png(1)
OTHER_PICTURE = pictures.png(2)
WHOLE = form([file_part("image", "a.png", PICTURE)])


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory, decoder: Decoder) -> Api:
    """One repository for all of this module: it has to survive everything."""
    settings = Settings(storage=tmp_path_factory.mktemp("repository"), public_url=PUBLIC_URL)
    runtime.use(runtime.build(settings, decoder))
    return in_process_api()


@pytest.fixture(autouse=True)
def the_next_request_works(api: Api) -> Iterator[None]:
    yield
    assert api.get("/health").json()["status"] == "ok"
    assert api.upload(pictures.png(99)).status in (200, 201)


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        pytest.param("multipart/form-data", WHOLE, id="no boundary"),
        pytest.param("multipart/form-data; boundary=", WHOLE, id="empty boundary"),
        pytest.param('multipart/form-data; boundary=""', WHOLE, id="quoted empty boundary"),
        pytest.param("multipart/form-data; boundary=another", WHOLE, id="wrong boundary"),
        pytest.param(f"multipart/form-data; boundary={BOUNDARY[:-1]}", WHOLE, id="boundary cut short"),
        pytest.param(f"multipart/form-data; boundary={'b' * 10_000}", WHOLE, id="boundary of 10,000 characters"),
        pytest.param("multipart/form-data; boundary=\u00e9", WHOLE, id="boundary beyond ASCII"),
        pytest.param(FORM["Content-Type"], b"", id="no body"),
        pytest.param(FORM["Content-Type"], b"\r\n", id="empty lines"),
        pytest.param(FORM["Content-Type"], b"--", id="two dashes"),
        pytest.param(FORM["Content-Type"], f"--{BOUNDARY}".encode(), id="only a boundary"),
        pytest.param(FORM["Content-Type"], WHOLE[:-4], id="no closing dashes"),
        pytest.param(FORM["Content-Type"], WHOLE[: len(WHOLE) // 2], id="broken off in the file"),
        pytest.param(FORM["Content-Type"], WHOLE[:60], id="broken off in a header"),
        pytest.param(FORM["Content-Type"], PICTURE, id="the bare file"),
        pytest.param(FORM["Content-Type"], b"\0" * 1000, id="zeros"),
        pytest.param(FORM["Content-Type"], b'{"image": "x"}', id="json"),
        pytest.param(FORM["Content-Type"], form([b"\r\n\r\nvalue"]), id="a part without headers"),
        pytest.param(FORM["Content-Type"], form([b"Content-Type: image/png\r\n\r\nx"]), id="a part without disposition"),
        pytest.param(
            FORM["Content-Type"], form([b'Content-Disposition: form-data; filename="a"\r\n\r\nx']), id="no field name"
        ),
        pytest.param(FORM["Content-Type"], form([b"Content-Disposition\r\n\r\nx"]), id="a header without colon"),
        pytest.param(FORM["Content-Type"], form([b"Content-Disposition: attachment; name=image\r\n\r\nx"]), id="attachment"),
        pytest.param(FORM["Content-Type"], form([b"X: " + b"x" * 100_000 + b"\r\n\r\nx"]), id="an endless header"),
        pytest.param(FORM["Content-Type"], form([b"X: x\r\n" * 5_000 + b"\r\nx"]), id="5,000 headers"),
        pytest.param(FORM["Content-Type"], form([field_part(f"f{n}", "x") for n in range(5_000)]), id="5,000 fields"),
        pytest.param(FORM["Content-Type"], form([field_part(b"\xff\xfe".decode("latin-1"), "x")]), id="no image field"),
    ],
)
def test_a_form_that_cannot_be_read_is_a_400(api: Api, content_type: str, body: bytes) -> None:
    answer = api.send("POST", "/image/upload", {"Content-Type": content_type}, body)
    assert_refused(answer, 400, "BadRequestError")


BAD_NAMES = {
    "empty": b"",
    "only spaces": b"   ",
    "a folder": b"pictures/",
    "this folder": b".",
    "the folder above": b"..",
    "the folder above, Windows": b"a\\..",
    "10,000 characters": b"n" * 10_000,
    "256 characters": b"n" * 256,
    "a bell": b"ring\x07.jpg",
    "a NUL": b"a\0.jpg",
    "a tab": b"a\tb.jpg",
    "delete": b"a\x7f.jpg",
    "C1": "a\u0085b.jpg".encode(),
    "a line separator": "a\u2028b.jpg".encode(),
    "a surrogate": b"a\xed\xa0\x80.jpg",
}


@pytest.mark.parametrize("name", BAD_NAMES.values(), ids=BAD_NAMES)
def test_a_name_that_cannot_be_used_is_a_400(api: Api, name: bytes) -> None:
    answer = api.send("POST", "/image/upload", FORM, form([file_part("image", name, PICTURE)]))
    assert_refused(answer, 400, "BadRequestError")
    assert "name" in answer.json()["Message"] or "form" in answer.json()["Message"]


def test_a_name_is_read_as_programs_write_it(api: Api) -> None:
    for disposition, name in [
        (b"form-data; name=image; filename*=utf-8''F%C3%BC%C3%9Fe.jpg", "Füße.jpg"),
        (b"form-data; name=image; filename=\"x.jpg\"; filename*=UTF-8'en'%E5%86%99.jpg", "写.jpg"),
        (b'form-data; name="image"; filename="a%22b%0D%0Ac.jpg"', 'a"b c.jpg'),
        ('form-data; name="image"; filename="Füße.jpg"'.encode("latin-1"), "Füße.jpg"),
    ]:
        part = b"Content-Disposition: " + disposition + b"\r\n\r\n" + OTHER_PICTURE
        answer = api.send("POST", "/image/upload", FORM, form([part]))
        assert answer.status == 201, answer
        assert answer.json()["name"] == name
        api.delete(answer.json()["id"])
    bad = b"Content-Disposition: form-data; name=image; filename*=utf-8''%FF%FE\r\n\r\n" + OTHER_PICTURE
    assert_refused(api.send("POST", "/image/upload", FORM, form([bad])), 400, "BadRequestError")


def test_a_json_body_may_begin_with_a_mark_of_its_encoding(api: Api) -> None:
    body = json.dumps({"files": [GOOD]}).encode("utf-8-sig")
    answer = api.send("POST", "/image/uploads", JSON, body)
    assert answer.status == 201, answer


def deep(levels: int) -> str:
    return "[" * levels + "]" * levels


GOOD = {"name": "a.png", "size": 10}
BAD_SIZES: list[Any] = [-1, 1.5, "10", None, True, [], {}, 2**63, 10**400, 1e300]
NO_NAMES: list[Any] = [None, 1, True, [], {}, ["a"]]
BAD_DIGESTS: list[Any] = [1, "", "abc", "g" * 64, "0" * 63, "0" * 65, "0" * 64 + "\n", "\uff10" * 64, [], True]


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"{", id="broken off"),
        pytest.param(b"files", id="a word"),
        pytest.param(b'{"files": [{"name": "a", "size": 1}]} and more', id="trailing words"),
        pytest.param(b"\xff\xfe\x00", id="no UTF-8"),
        pytest.param(b'{"files": [{"name": "\xff", "size": 1}]}', id="no UTF-8 in a name"),
        pytest.param(b'{"files": [{"name": "\\ud800", "size": 1}]}', id="half a surrogate pair"),
        pytest.param(b'{"files": [{"name": "a", "size": NaN}]}', id="not a number"),
        pytest.param(b"null", id="null"),
        pytest.param(b"[]", id="a list"),
        pytest.param(b"{}", id="no files"),
        pytest.param(b'"files"', id="a text"),
        pytest.param(deep(100_000).encode(), id="deep nesting"),
        pytest.param(('{"files": ' + deep(100_000) + "}").encode(), id="deep nesting in files"),
        pytest.param(('{"files": [{"name": "a", "size": 1, "x": ' + deep(100_000) + "}]}").encode(), id="deep and ignored"),
        pytest.param(json.dumps({"files": []}).encode(), id="no file"),
        pytest.param(json.dumps({"files": [GOOD] * 101}).encode(), id="101 files"),
        pytest.param(json.dumps({"files": {"0": GOOD}}).encode(), id="files no list"),
        pytest.param(json.dumps({"files": None}).encode(), id="files null"),
        pytest.param(json.dumps({"files": [None]}).encode(), id="a file null"),
        pytest.param(json.dumps({"files": ["a.png"]}).encode(), id="a file a text"),
        pytest.param(json.dumps({"files": [{"name": "a.png"}]}).encode(), id="no size"),
        pytest.param(json.dumps({"files": [{"size": 10}]}).encode(), id="no name"),
        *(
            pytest.param(json.dumps({"files": [GOOD, {**GOOD, "size": size}]}).encode(), id=f"size {size!r:.20}")
            for size in BAD_SIZES
        ),
        *(pytest.param(json.dumps({"files": [{**GOOD, "name": name}]}).encode(), id=f"name {name!r}") for name in NO_NAMES),
        *(
            pytest.param(json.dumps({"files": [{**GOOD, "sha256": digest}]}).encode(), id=f"sha256 {digest!r:.20}")
            for digest in BAD_DIGESTS
        ),
    ],
)
def test_a_batch_that_is_not_as_described_is_a_400_as_a_whole(api: Api, body: bytes) -> None:
    answer = api.send("POST", "/image/uploads", JSON, body)
    assert_refused(answer, 400, "BadRequestError")


def test_what_a_batch_says_beyond_the_description_is_ignored(api: Api) -> None:
    answer = api.ask({**GOOD, "type": "image/png", "extra": [1, {"a": None}]})
    assert (answer.status, answer.json()["uploads"][0]["action"]) == (201, "upload")


@pytest.mark.parametrize("name", ["a\x00b", "a\u2028", "\nb", "", "..", "n" * 10_000, "a\x1b[31m"])
def test_a_name_in_a_batch_that_cannot_be_used_rejects_that_file_only(api: Api, name: str) -> None:
    bad, good = api.ask({"name": name, "size": 1}, GOOD).json()["uploads"]
    assert (bad["action"], bad["name"], bad["error"]["Code"]) == ("reject", name, "BadRequestError")
    assert good["action"] == "upload"


def assert_within_the_contract(answer: Answer) -> None:
    assert answer.status < 500, answer
    if answer.status >= 400 and answer.headers["content-type"] != "application/xml":
        assert answer.json().keys() == {"Code", "Message"}, answer


FUZZ = settings(max_examples=150, deadline=None)
PARAMETERS = st.sampled_from(
    ["limit", "cursor", "sort", "name", "format", "camera_make", "width_min", "f_number_max", "bbox", "has_location",
     "uploaded_after", "taken_before", "include_total", "size", "disposition", "owner", "key", "X-Amz-Signature"]
)  # fmt: skip
VALUES = st.one_of(
    st.text(max_size=40),
    st.sampled_from(["1", "0", "true", "2024-01-01", "2024-01-01T00:00:00Z", "-name", "1,2,3,4", "256", "inline", "1e308"]),
    st.floats().map(str),
    st.integers().map(str),
    st.datetimes().map(str),
)
PATHS = st.sampled_from(
    ["/image/list", "/image/1", "/image/1/thumbnail", "/image/1/details", STORE_PATH, "/health", "/image/uploads/x"]
)


@FUZZ
@given(path=PATHS, parameters=st.lists(st.tuples(st.one_of(PARAMETERS, st.text(max_size=8)), VALUES), max_size=4))
@example(path="/image/list", parameters=[("name", "\0")])
@example(path="/image/list", parameters=[("name", "\U0010ffff")])
def test_no_query_makes_the_repository_fail(api: Api, path: str, parameters: list[tuple[str, Any]]) -> None:
    assert_within_the_contract(api.get(path, [(name, value) for name, value in parameters]))


@FUZZ
@given(path=PATHS, query=st.text(st.characters(codec="latin-1", exclude_characters="#\r\n"), max_size=60))
@example(path="/image/list", query="name=%ff%fe")
@example(path="/image/list", query="name=%")
@example(path="/image/list", query="&&&===")
@example(path="/image/list", query="name=%ed%a0%80")
def test_no_raw_query_makes_the_repository_fail(api: Api, path: str, query: str) -> None:
    assert_within_the_contract(api.send("GET", f"{path}?{query}", {}, b""))


NEAR_FORMS = st.lists(
    st.one_of(
        st.binary(max_size=30),
        st.sampled_from(
            [f"--{BOUNDARY}".encode(), b"--", b"\r\n", b"\r\n\r\n", b"\n", b"\r", b":", b"Content-Disposition: form-data; ",
             b'name="image"', b'; filename="a.png"', b"; filename*=utf-8''%ff", b"Content-Type: image/png", PICTURE,
             b"Content-Transfer-Encoding: base64", file_part("image", "a.png", PICTURE), field_part("key", "incoming/x")]
        ),
    ),
    max_size=12,
).map(b"".join)  # fmt: skip


@FUZZ
@given(body=NEAR_FORMS, path=st.sampled_from(["/image/upload", STORE_PATH]))
def test_no_form_makes_the_repository_fail(api: Api, body: bytes, path: str) -> None:
    assert_within_the_contract(api.send("POST", path, FORM, body))


@FUZZ
@given(name=st.one_of(st.binary(max_size=300), st.text(max_size=300).map(lambda text: text.encode("utf-8", "replace"))))
def test_no_name_makes_the_repository_fail_and_what_is_kept_can_be_served(api: Api, name: bytes) -> None:
    answer = api.send("POST", "/image/upload", FORM, form([file_part("image", name, OTHER_PICTURE)]))
    assert answer.status in (201, 400), answer
    assert_within_the_contract(answer)
    if answer.status == 201:
        image = answer.json()
        served = api.follow(api.get(f"/image/{image['id']}", {"disposition": "attachment"}))
        assert served.headers["content-disposition"].isascii()
        assert served.headers["content-disposition"].isprintable()
        assert image["name"] in [one["name"] for one in api.list([("name", image["name"])])["images"]]
        api.delete(image["id"])


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["files", "name", "size", "sha256"]) | st.text(max_size=5), inner, max_size=4)
    ),
    max_leaves=12,
)


@FUZZ
@given(value=st.one_of(JSON_VALUES, st.builds(lambda files: {"files": files}, st.lists(JSON_VALUES, max_size=3))))
def test_no_json_makes_the_repository_fail(api: Api, value: Any) -> None:
    assert_within_the_contract(api.send("POST", "/image/uploads", JSON, json.dumps(value).encode()))
