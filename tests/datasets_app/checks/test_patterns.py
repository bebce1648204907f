import time

import pytest

from datasets_app.checks import patterns
from datasets_app.checks.patterns import KINDS, kinds_in, matches

EVERYTHING = frozenset(kind.code for kind in KINDS)
# Put together here, so that no scanner takes this file for a leak.
KEYS = [
    "sk-" + "proj-" + "a1B2c3D4e5F6g7H8i9J0",
    "sk-" + "ant-api03-" + "a1B2c3D4e5F6g7H8i9J0",
    "AKIA" + "IOSFODNN7EXAMPLE",
    "ghp_" + "a1B2c3D4e5F6g7H8i9J0a1B2c3D4e5F6g7H8",
    "glpat-" + "a1B2c3D4e5F6g7H8i9J0",
    "AIza" + "SyA1B2c3D4e5F6g7H8i9J0a1B2c3D4e5F6g",
    "xoxb-" + "1234567890-abcdefghij",
    "sk_live_" + "a1B2c3D4e5F6g7H8",
    "hf_" + "a1B2c3D4e5F6g7H8i9J0a1B2c3D4e5F6",
    "eyJhbGciOiJIUzI1NiJ9" + ".eyJzdWIiOiIxMjM0NTY3ODkwIn0" + ".dozjgNryP4J3jVmNHl0w",
    "-----BEGIN " + "RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----",
]


def found(text: str) -> list[tuple[str, str]]:
    return [(m.kind.code, m.text) for m in matches(text, kinds_in(text))]


@pytest.mark.parametrize("key", KEYS, ids=lambda key: key[:8])
def test_a_secret_is_found_amid_korean_and_masked(key):
    text = f"키는 {key}입니다."
    assert found(text) == [("secret", key)]
    [match] = matches(text, kinds_in(text))
    assert key[5:20] not in match.masked


@pytest.mark.parametrize(
    ("text", "password"),
    [
        ("password: hunter22!", "hunter22!"),
        ('{"api_key": "a1b2c3d4e5"}', "a1b2c3d4e5"),
        ("비밀번호는 abc123!!", "abc123!!"),
        ("postgres://bob:s3cr3t@db/x", "s3cr3t"),
    ],
)
def test_a_password_is_found_without_the_words_around_it(text, password):
    assert found(text) == [("secret", password)]


@pytest.mark.parametrize(
    "text",
    [
        "password: your_password1",
        "password = os.environ['P1']",
        "비밀번호는 무엇인가요?",
        "The password: forgotten",
        "sk-short",
    ],
)
def test_what_only_stands_for_a_secret_is_none(text):
    assert found(text) == []


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("kim.minsu@company.co.kr", "email"),
        ("010-1234-5678", "phone"),
        ("01012345678", "phone"),
        ("02-312-3456", "phone"),
        ("031) 712-3456", "phone"),
        ("+82 10-1234-5678", "phone"),
        ("(415) 555-2671", "phone"),
        ("850101-1234566", "resident_number"),
        ("8501011234566", "resident_number"),
        ("211101-3999999", "resident_number"),
        ("4111 1111 1111 1111", "card_number"),
        ("378282246310005", "card_number"),
    ],
)
def test_personal_data_is_found(text, code):
    assert [c for c, _text in found(f"제 것은 {text}입니다")] == [code]


@pytest.mark.parametrize(
    "text",
    [
        "someone@example.com",
        "user@host.test",
        "850101-1234567",  # wrong check digit
        "851301-1234566",  # no such month
        "4111 1111 1111 1112",  # wrong check digit
        "1234567890123456",
        "in 2024-11-22 at 10:30",
        "ISBN 978-3-16-148410-0",
        "version 10.20.30.40",
        "1,234,567,890 won",
    ],
)
def test_what_only_looks_like_personal_data_is_none(text):
    assert found(text) == []


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("010-1234-5678", "***-****-5678"),
        ("kim@company.kr", "k…@company.kr"),
        ("850101-1234566", "85****-*******"),
        ("4111 1111 1111 1111", "**** **** **** 1111"),
    ],
)
def test_personal_data_is_shown_masked(text, masked):
    assert [m.masked for m in matches(text, kinds_in(text))] == [masked]


def test_replacing_leaves_the_rest_as_it_was():
    text = "전화 010-1234-5678, mail kim@company.kr, 끝"
    assert patterns.replace(text, EVERYTHING) == "전화 [PHONE], mail [EMAIL], 끝"
    assert patterns.replace(text, frozenset({"phone"})) == (
        "전화 [PHONE], mail kim@company.kr, 끝"
    )


def test_replacing_leaves_nothing_to_replace():
    text = " ".join(["010-1234-5678"] * (patterns.MAX_MATCHES + 10))
    assert kinds_in(patterns.replace(text, EVERYTHING)) == []


@pytest.mark.parametrize(
    "text",
    [
        "a@" * 100_000,
        "1 " * 100_000,
        "password=" * 20_000,
        "eyJ" * 50_000,
        "a." * 99_999,
    ]
    + ["-----BEGIN PRIVATE KEY-----" * 5_000, "+1 2 3 4 " * 20_000],
    ids=lambda text: text[:12],
)
def test_hostile_text_takes_no_longer_than_other_text(text):
    start = time.process_time()
    matches(text, list(range(len(KINDS))))
    assert time.process_time() - start < 5
