"""Tickets and URLs of the local store: what was minted passes, and nothing else does."""

import base64
import hmac
import json
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib import sigv4
from chalicelib.storage.disk_presign import Presigner, StoreError
from chalicelib.storage.disposition import content_disposition

SECRET = bytes(range(32))
BASE = "http://127.0.0.1:8000/store"
NOW = datetime(2026, 5, 17, 12, 20, tzinfo=UTC)
KEY = "incoming/" + "0" * 36
HOUR = timedelta(hours=1)


def presigner(now: datetime = NOW, secret: bytes = SECRET) -> Presigner:
    return Presigner(secret, BASE, lambda: now)


def ticket(size: int = 10) -> dict[str, str]:
    return dict(presigner().ticket(KEY, size, NOW + HOUR).fields)


def refusal(form: dict[str, str], size: int = 10, now: datetime = NOW) -> tuple[int, str]:
    with pytest.raises(StoreError) as caught:
        presigner(now).check_post(form.items(), size)
    return caught.value.status, caught.value.code


def signed(document: Any, **fields: str) -> dict[str, str]:
    """A form around any policy at all, signed as only the store itself could."""
    policy = document if isinstance(document, str) else base64.b64encode(json.dumps(document).encode()).decode()
    form = {
        "key": KEY,
        "x-amz-algorithm": "AWS4-HMAC-SHA256",
        "x-amz-credential": "local/20260517/local/s3/aws4_request",
        "x-amz-date": "20260517T122000Z",
    }
    signature = sigv4.sign(SECRET.hex(), form["x-amz-date"], "local", policy)
    return form | fields | {"policy": policy, "x-amz-signature": signature}


def policy(*conditions: Any, expiration: Any = "2026-05-17T13:00:00Z") -> dict[str, Any]:
    usual = [
        {"bucket": "local"},
        {"x-amz-algorithm": "AWS4-HMAC-SHA256"},
        {"x-amz-credential": "local/20260517/local/s3/aws4_request"},
        {"x-amz-date": "20260517T122000Z"},
    ]
    return {"expiration": expiration, "conditions": [*usual, *conditions]}


def test_a_ticket_permits_what_it_was_minted_for() -> None:
    minted = presigner().ticket(KEY, 10, NOW + HOUR)
    assert minted.url == BASE
    assert presigner(NOW + HOUR - timedelta(seconds=1)).check_post(minted.fields.items(), 10) == KEY


def test_field_names_are_compared_without_regard_to_case() -> None:
    form = {name.title(): value for name, value in ticket().items()}
    assert presigner().check_post(form.items(), 10) == KEY


def test_a_ticket_expires() -> None:
    assert refusal(ticket(), now=NOW + HOUR) == (403, "AccessDenied")


@pytest.mark.parametrize(("size", "code"), [(9, "EntityTooSmall"), (11, "EntityTooLarge"), (0, "EntityTooSmall")])
def test_only_the_exact_size_passes(size: int, code: str) -> None:
    assert refusal(ticket(), size) == (400, code)


def test_another_key_is_refused() -> None:
    assert refusal(ticket() | {"key": "incoming/" + "1" * 36}) == (403, "AccessDenied")
    assert refusal(ticket() | {"key": "incoming/${filename}"}) == (403, "AccessDenied")


@pytest.mark.parametrize("name", ["key", "policy", "x-amz-algorithm", "x-amz-credential", "x-amz-date", "x-amz-signature"])
def test_a_missing_or_empty_field_is_named(name: str) -> None:
    form = ticket()
    assert refusal(form | {name: ""}) == (400, "InvalidArgument")
    del form[name]
    with pytest.raises(StoreError, match=name):
        presigner().check_post(form.items(), 10)


def test_a_field_given_twice_is_refused() -> None:
    with pytest.raises(StoreError) as caught:
        presigner().check_post([*ticket().items(), ("KEY", "incoming/" + "1" * 36)], 10)
    assert caught.value.status == 400


def test_a_field_that_no_condition_covers_is_refused() -> None:
    assert refusal(ticket() | {"acl": "public-read"}) == (403, "AccessDenied")
    assert refusal(ticket() | {"success_action_redirect": "http://elsewhere"}) == (403, "AccessDenied")


def test_fields_marked_to_be_ignored_are() -> None:
    assert presigner().check_post((ticket() | {"x-ignore-note": "ours"}).items(), 10) == KEY


def test_another_secret_signs_nothing_here() -> None:
    form = presigner(secret=bytes(32)).ticket(KEY, 10, NOW + HOUR).fields
    assert refusal(dict(form)) == (403, "SignatureDoesNotMatch")


def test_a_policy_widened_by_the_client_is_refused() -> None:
    form = ticket()
    wider = base64.b64decode(form["policy"]).replace(b"10,10", b"0,99999")
    assert refusal(form | {"policy": base64.b64encode(wider).decode()}) == (403, "SignatureDoesNotMatch")


@given(st.sampled_from(sorted(ticket())), st.text(st.characters(), max_size=40))
def test_no_field_can_be_exchanged(name: str, value: str) -> None:
    form = ticket()
    if form[name] != value:
        assert refusal(form | {name: value})[0] in (400, 403)


@given(st.dictionaries(st.text(st.characters(), max_size=12), st.text(st.characters(), max_size=12)))
def test_whatever_is_sent_instead_of_a_form_is_refused_in_s3s_terms(form: dict[str, str]) -> None:
    assert refusal(form)[0] == 400


@pytest.mark.parametrize(
    "document",
    [
        "not base64!",
        base64.b64encode(b"{").decode(),
        base64.b64encode(b"\xff").decode(),
        base64.b64encode(b"[" * 100_000).decode(),
        [],
        {"conditions": []},
        {"expiration": "2026-05-17T13:00:00Z"},
        {"expiration": "2026-05-17T13:00:00Z", "conditions": {}},
        policy(expiration="tomorrow"),
        policy(expiration="2026-05-17T13:00:00"),
        policy(expiration=1),
        policy(["eq", "$key"]),
        policy(["eq", "key", KEY]),
        policy(["ends-with", "$key", KEY]),
        policy({"key": 1}),
        policy(["eq", "$key", KEY]),
        policy(["starts-with", "$key", ""], ["content-length-range", 0, 10]),
        {**policy({"key": KEY}), "comment": "of another store"},
        policy("key"),
        policy(["content-length-range", 1, "10"]),
        policy(["content-length-range", True, 10]),
        policy(["content-length-range", 10]),
        policy({"key": KEY}, None),
    ],
)
def test_a_malformed_policy_is_refused_even_if_signed(document: Any) -> None:
    assert refusal(signed(document)) == (400, "InvalidPolicyDocument")


@pytest.mark.parametrize(
    "conditions",
    [
        [{"key": KEY}],
        [{"key": KEY}, ["content-length-range", 0, 10]],
        [["content-length-range", 10, 10], {"key": KEY}],
        [{"key": KEY}, {"bucket": "local"}],
    ],
)
def test_a_policy_of_the_shape_that_tickets_have_is_judged_by_what_it_says(conditions: list[Any]) -> None:
    assert presigner().check_post(signed(policy(*conditions)).items(), 10) == KEY


@pytest.mark.parametrize(
    "conditions",
    [
        [],
        [{"key": KEY + "x"}],
        [{"key": KEY}, {"bucket": "another"}],
        [{"key": KEY}, {"acl": "private"}],
        [{"key": KEY, "acl": "private"}],
        [{"key": KEY}, {"x-amz-date": "20260517T122001Z"}],
    ],
)
def test_a_condition_that_does_not_hold_is_refused(conditions: list[Any]) -> None:
    assert refusal(signed(policy(*conditions))) == (403, "AccessDenied")


def test_a_credential_for_another_day_or_place_is_refused() -> None:
    for scope in ("20260516/local/s3", "20260517/elsewhere/s3", "20260517/local/sqs"):
        form = signed(policy({"key": KEY}), **{"x-amz-credential": f"local/{scope}/aws4_request"})
        assert refusal(form) == (403, "SignatureDoesNotMatch")
    assert refusal(signed(policy(), **{"x-amz-credential": "stranger/20260517/local/s3/aws4_request"}))[0] == 403


def url(now: datetime = NOW, name: str = "IMG_0001.JPG") -> str:
    return presigner(now).url("originals/" + "0" * 36 + "-1", "image/jpeg", name, "inline")


def parameters(text: str) -> list[tuple[str, str]]:
    return parse_qsl(urlsplit(text).query, keep_blank_values=True, strict_parsing=True)


def test_a_url_grants_what_it_names() -> None:
    grant = presigner().check_get(parameters(url()))
    assert grant.key == "originals/" + "0" * 36 + "-1"
    assert grant.content_type == "image/jpeg"
    assert grant.content_disposition == "inline; filename=\"IMG_0001.JPG\"; filename*=UTF-8''IMG_0001.JPG"
    assert url().startswith(BASE + "?")


def test_a_url_is_the_same_for_an_hour_and_lives_for_one_to_two() -> None:
    start = datetime(2026, 5, 17, 12, tzinfo=UTC)
    last = start + HOUR - timedelta(microseconds=1)
    assert url(start) == url(last)
    assert url(start) != url(start + HOUR)
    presigner(last + HOUR).check_get(parameters(url(last)))
    with pytest.raises(StoreError, match="expired") as caught:
        presigner(start + 2 * HOUR).check_get(parameters(url(start)))
    assert (caught.value.status, caught.value.code) == (403, "AccessDenied")


@given(st.integers(0, 5), st.text(st.characters(), max_size=60))
def test_no_parameter_of_a_url_can_be_exchanged(which: int, value: str) -> None:
    given_parameters = parameters(url())
    name, before = given_parameters[which]
    if value != before:
        given_parameters[which] = (name, value)
        with pytest.raises(StoreError) as caught:
            presigner().check_get(given_parameters)
        assert caught.value.status == 403


@pytest.mark.parametrize("which", range(6))
def test_a_url_with_one_parameter_more_or_less_or_twice_is_refused(which: int) -> None:
    minted = parameters(url())
    for changed in ([*minted, minted[which]], minted[:which] + minted[which + 1 :], [*minted, ("versionId", "1")]):
        with pytest.raises(StoreError) as caught:
            presigner().check_get(changed)
        assert caught.value.status == 403


@pytest.mark.parametrize("which", range(6))
def test_even_a_signed_url_must_hold_each_parameter_once_and_no_other(which: int) -> None:
    minted = parameters(url())[:-1]
    for changed in ([*minted, minted[which]], minted[:which] + minted[which + 1 :], [*minted, ("versionId", "1")]):
        text = f"GET\n{sigv4.canonical_query(changed)}".encode()
        with pytest.raises(StoreError) as caught:
            presigner().check_get([*changed, ("X-Amz-Signature", hmac.digest(SECRET, text, "sha256").hex())])
        assert (caught.value.status, caught.value.code) == (403, "AccessDenied")


@given(st.lists(st.tuples(st.text(st.characters(), max_size=20), st.text(st.characters(), max_size=20))))
def test_whatever_is_asked_instead_of_a_url_is_refused(given_parameters: list[tuple[str, str]]) -> None:
    with pytest.raises(StoreError) as caught:
        presigner().check_get(given_parameters)
    assert caught.value.status == 403


@given(st.text(min_size=1, max_size=300))
def test_any_name_survives_its_url(name: str) -> None:
    grant = presigner().check_get(parameters(url(name=name)))
    assert grant.content_disposition == content_disposition("inline", name)


@pytest.mark.parametrize(
    ("name", "header"),
    [
        ("IMG 1.JPG", "filename=\"IMG 1.JPG\"; filename*=UTF-8''IMG%201.JPG"),
        ("Größe.png", "filename=\"Gro_e.png\"; filename*=UTF-8''Gr%C3%B6%C3%9Fe.png"),
        ('a"b\\c.jpg', "filename=\"a_b_c.jpg\"; filename*=UTF-8''a%22b%5Cc.jpg"),
        ("50%41.jpg", "filename=\"50_41.jpg\"; filename*=UTF-8''50%2541.jpg"),
        ("日本.jpg", "filename=\"__.jpg\"; filename*=UTF-8''%E6%97%A5%E6%9C%AC.jpg"),
        ("a\r\nSet-Cookie: b", "filename=\"a__Set-Cookie: b\"; filename*=UTF-8''a__Set-Cookie%3A%20b"),
        ("../../etc/passwd", "filename=\".._.._etc_passwd\"; filename*=UTF-8''.._.._etc_passwd"),
        ("🎉.jpg", "filename=\"_.jpg\"; filename*=UTF-8''%F0%9F%8E%89.jpg"),
        ("\ud800.jpg", "filename=\"_.jpg\"; filename*=UTF-8''%3F.jpg"),
        ("", "filename=\"file\"; filename*=UTF-8''file"),
    ],
)
def test_a_file_name_is_told_exactly_and_in_ascii(name: str, header: str) -> None:
    assert content_disposition("attachment", name) == "attachment; " + header


@given(st.text(st.characters(), max_size=100))
def test_no_name_breaks_out_of_its_header(name: str) -> None:
    header = content_disposition("inline", name)
    assert header.isascii()
    assert header.isprintable()
    assert header.count('"') == 2
    assert "\\" not in header


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), min_size=1, max_size=100))
def test_the_exact_name_can_be_read_back(name: str) -> None:
    exact = content_disposition("inline", name).rpartition("''")[2]
    assert dict(parse_qsl(f"name={exact.replace('&', '%26').replace('+', '%2B')}"))["name"] == name.replace("/", "_")
