"""Keys, tokens and signatures are recognised by their shape, and sentences stay as they are."""

from __future__ import annotations

import json

import pytest

from popcond.wire import Problem
from popcond.wire.redaction import HIDDEN, redacted, redacted_deeply

CANARY = "canary1234567890abcdef"

TOLD = [
    f"Authorization: Bearer {CANARY}",
    f"authorization: Basic {CANARY}==",
    f"[(b'host', b'127.0.0.1'), (b'authorization', b'Bearer {CANARY}')]",
    f"{{'Authorization': 'Bearer {CANARY}'}}",
    json.dumps({"headers": {"Authorization": f"Bearer {CANARY}"}}),
    f"bearer {CANARY}",
    f"Incorrect API key provided: sk-{CANARY}.",
    f"SK-{CANARY}",
    f"sk-proj-{CANARY}",
    f"key='sk-{CANARY}'",
    f"GET https://oss.example/clip.mp4?Expires=1&OSSAccessKeyId={CANARY}&Signature={CANARY}%2B%3D",
    f"https://s3.example/clip.mp4?X-Amz-Credential={CANARY}%2F20260101&X-Amz-Signature={CANARY}",
    f"https://oss.example/clip.mp4?x-oss-signature={CANARY}&x-oss-credential={CANARY}",
    f"GET /v1/packs?token={CANARY} HTTP/1.1",
    f"/go?to=https%3A%2F%2Foss.example%2Fa%3FSignature%3D{CANARY}",
    f"/v1/packs?h=Bearer%20{CANARY}&k=%3Dsk-{CANARY}",
    f"access_token={CANARY}&api_key={CANARY}",
    json.dumps({"api_key": CANARY, "token": CANARY}),
]

SENTENCES = [
    "Send `Authorization: Bearer TOKEN`; `popcond token` prints it.",
    "recovered: 3 jobs wait again, 0 unwanted files went",
    "Something risk-free-and-long happened to task-1234567890abcdef.",
    "claim_token=17 of job 4 is stale",
    "The token file /home/me/token is empty or damaged.",
    "https://example.org/clip.mp4?Expires=123&width=5",
]


@pytest.mark.parametrize("text", TOLD)
def test_a_secret_goes_by_its_shape(text: str) -> None:
    told = redacted(text)
    assert CANARY not in told
    assert HIDDEN in told
    assert redacted(told) == told


@pytest.mark.parametrize("text", SENTENCES)
def test_a_sentence_stays(text: str) -> None:
    assert redacted(text) == text


def test_what_surrounds_a_secret_stays_for_the_reader() -> None:
    told = redacted(f"GET https://oss.example/clip.mp4?Expires=1&Signature={CANARY}&x=2 failed")
    assert told == f"GET https://oss.example/clip.mp4?Expires=1&Signature={HIDDEN}&x=2 failed"


def test_details_are_searched_to_their_depth() -> None:
    deep = {"a": [{"b": f"sk-{CANARY}"}, 7, None, True], f"sk-{CANARY}": 1.5}
    assert redacted_deeply(deep) == {"a": [{"b": f"sk-{HIDDEN}"}, 7, None, True], f"sk-{HIDDEN}": 1.5}


def test_a_problem_cannot_hold_a_key() -> None:
    problem = Problem(
        code="provider_failed",
        message=f"The provider says: wrong key sk-{CANARY}.",
        cure=f"Look at https://oss.example/a?Signature={CANARY}",
        details={"headers": [f"Bearer {CANARY}"]},
    )
    assert CANARY not in problem.model_dump_json()
    assert CANARY not in repr(problem)
