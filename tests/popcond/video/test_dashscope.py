"""DashScope against its stand-in: what is sent, what every answer and silence means; no order is sent twice."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import SecretStr

from popcond.errors import ProviderBusy, ProviderFailed, ProviderUnreachable, SubmitUnanswered
from popcond.video.dashscope import DashScope
from popcond.video.dashscope_account import Account
from popcond.video.provider import RemoteTask, TaskState
from tests.cloud.customer import a_request, customer, settled
from tests.cloud.running import KEY, Cloud

# ------------------------------------------------------------------ keys


def no_key() -> SecretStr | None:
    return None


def bad_key() -> SecretStr | None:
    raise ProviderFailed("That is no key.", cure="Copy it again.")


@pytest.mark.parametrize("key", [no_key, bad_key])
async def test_without_a_usable_key_nothing_is_sent(
    cloud: Cloud, cutout: Path, key: Callable[[], SecretStr | None]
) -> None:
    provider = DashScope(Account(key, base_url=cloud.base_url))
    assert not provider.describe().has_key
    with pytest.raises(ProviderFailed) as caught:
        await provider.submit(a_request(cutout))
    assert caught.value.cure
    with pytest.raises(ProviderUnreachable):
        await provider.check(RemoteTask("dashscope", "some-id"))
    assert not await provider.cancel(RemoteTask("dashscope", "some-id"))
    assert cloud.calls == {}


async def test_a_wrong_key_is_told_with_its_cure_and_without_the_key(cloud: Cloud, cutout: Path) -> None:
    provider = customer(cloud.base_url, "sk-wrong-c4n4ry")
    with pytest.raises(ProviderFailed, match="does not accept the API key") as caught:
        await provider.submit(a_request(cutout))
    assert "DASHSCOPE_BASE_URL" in str(caught.value)
    assert caught.value.details == {"provider_code": "InvalidApiKey", "stops": "all"}
    with pytest.raises(ProviderUnreachable, match="does not accept the API key") as asked:
        await provider.check(RemoteTask("dashscope", "some-id"))
    assert "c4n4ry" not in f"{caught.value!r}{asked.value!r}{caught.value.problem()}{asked.value.problem()}"


async def test_the_key_does_not_travel_over_an_open_line(cutout: Path) -> None:
    provider = customer("http://dashscope.example.com/api/v1")
    with pytest.raises(ProviderFailed) as caught:
        await provider.submit(a_request(cutout))
    assert caught.value.code == "bad_base_url"


# ------------------------------------------------------------------ orders


@pytest.mark.parametrize(
    ("status", "code", "kind", "words", "stops"),
    [
        (429, "Throttling.RateQuota", ProviderBusy, "no more orders for the moment", None),
        (429, "Throttling", ProviderBusy, "no more orders for the moment", None),
        (429, "SomethingNew", ProviderBusy, "no more orders for the moment", None),
        (429, "Throttling.AllocationQuota", ProviderFailed, "quota for this model is used up", "model"),
        (429, "PrepaidBillOverdue", ProviderFailed, "no credit left", "all"),
        (400, "Arrearage", ProviderFailed, "no credit left", "all"),
        (403, "CommodityNotPurchased", ProviderFailed, "no credit left", "all"),
        (401, "InvalidApiKey", ProviderFailed, "does not accept the API key", "all"),
        (403, "invalid_api_key", ProviderFailed, "does not accept the API key", "all"),
        (403, "AllocationQuota.FreeTierOnly", ProviderFailed, "free quota", "model"),
        (403, "AccessDenied.Unpurchased", ProviderFailed, "may not use this model", "model"),
        (404, "ModelNotFound", ProviderFailed, "no such model", "model"),
        (404, "model_not_found", ProviderFailed, "no such model", "model"),
        (400, "IPInfringementSuspect", ProviderFailed, "somebody else's", None),
        (400, "InvalidParameter.DataInspection", ProviderFailed, "does not take this order", None),
        (418, "Teapot", ProviderFailed, "does not take this order", None),
    ],
)
async def test_a_refusal_is_a_sentence_with_a_cure_and_buys_nothing(
    cloud: Cloud,
    provider: DashScope,
    cutout: Path,
    status: int,
    code: str,
    kind: type[ProviderFailed],
    words: str,
    stops: str | None,
) -> None:
    said = f"see https://example.com/?Signature=s3cret and {KEY}\x1b[31m"
    cloud.fault("create", "error_before", status=status, code=code, message=said, retry_after="7")
    with pytest.raises(ProviderFailed, match=words) as caught:
        await provider.submit(a_request(cutout))
    error = caught.value
    assert type(error) is kind
    assert error.cure
    told = {"provider_code": code, "retry_after": 7.0, "stops": stops}
    assert error.details == {name: fact for name, fact in told.items() if fact is not None}
    assert not any(secret in str(error) for secret in ("s3cret", KEY, "\x1b"))
    assert cloud.ledger == []
    assert cloud.calls["create"] == 1


@pytest.mark.parametrize(
    ("said", "refused", "words"),
    [
        ("Input text data may contain inappropriate content.", "prompt", "refuses the prompt"),
        ("Input image data may contain inappropriate content.", "picture", "refuses the character's picture"),
        ("Output data may contain inappropriate content.", "clip", "refuses the clip that was made"),
        ("Input data may contain inappropriate content.", "either", "refuses this picture or prompt"),
    ],
)
async def test_a_content_check_names_what_it_refuses(
    cloud: Cloud, provider: DashScope, cutout: Path, said: str, refused: str, words: str
) -> None:
    cloud.fault("create", "error_before", status=400, code="DataInspectionFailed", message=said)
    with pytest.raises(ProviderFailed, match=words) as caught:
        await provider.submit(a_request(cutout))
    assert caught.value.details == {"provider_code": "DataInspectionFailed", "refused": refused}
    assert said in caught.value.message
    assert caught.value.retries == 0
    cloud.fail("Waves", "DataInspectionFailed", said)
    assert words in (await settled(provider, await provider.submit(a_request(cutout)))).message


async def test_too_many_orders_are_told_when_to_come_again(cloud: Cloud, provider: DashScope, cutout: Path) -> None:
    cloud.fault("create", "error_before", status=429, code="Throttling.RateQuota")
    with pytest.raises(ProviderBusy) as caught:
        await provider.submit(a_request(cutout))
    assert 0.0 < (caught.value.details or {})["retry_after"] <= 1.0
    await provider.submit(a_request(cutout))
    assert len(cloud.ledger) == 1


@pytest.mark.parametrize(
    ("fault", "more", "is_bought"),
    [
        ("drop_before", {}, False),
        ("drop_after", {}, True),
        ("error_before", {"status": 500}, False),
        ("error_after", {"status": 500}, True),
        ("error_after", {"status": 503}, True),
        ("error_before", {"status": 408}, False),
        ("error_after", {"status": 409}, True),
        ("html", {"status": 502}, False),
        ("html", {"status": 404}, False),
        ("html", {"status": 200}, False),
        ("garbled", {}, False),
        ("truncated", {}, False),
    ],
)
async def test_an_order_without_an_answer_is_not_sent_again(
    cloud: Cloud, provider: DashScope, cutout: Path, fault: str, more: dict[str, object], is_bought: bool
) -> None:
    cloud.fault("create", fault, **more)
    since = time.time()
    with pytest.raises(SubmitUnanswered) as caught:
        await provider.submit(a_request(cutout))
    assert caught.value.retries == 0
    assert len(cloud.ledger) == is_bought
    assert cloud.calls["create"] == 1
    listed = await provider.tasks(since - 1.0, time.time() + 1.0)
    assert listed.is_complete
    assert [task.id for task in listed.tasks] == [line["id"] for line in cloud.ledger]


async def test_an_answer_that_comes_too_late_counts_as_none(cloud: Cloud, cutout: Path) -> None:
    cloud.fault("create", "slow_after", seconds=3.0)
    with pytest.raises(SubmitUnanswered):
        await customer(cloud.base_url, settles_in=1.0).submit(a_request(cutout))
    assert len(cloud.ledger) == 1


async def test_an_order_that_could_not_be_sent_is_refused_for_now(cutout: Path) -> None:
    with pytest.raises(ProviderBusy, match="nothing was ordered"):
        await customer("http://127.0.0.1:1/api/v1").submit(a_request(cutout))


# ------------------------------------------------------------------ questions


async def test_a_task_that_fails_says_why_and_costs_nothing(cloud: Cloud, provider: DashScope, cutout: Path) -> None:
    cloud.fail("Waves", "IPInfringementSuspect", "looks like a mouse\x07")
    status = await settled(provider, await provider.submit(a_request(cutout)))
    assert (status.state, status.billed) == (TaskState.FAILED, 0.0)
    assert "somebody else's: looks like a mouse" in status.message
    assert "\x07" not in status.message


async def test_a_task_that_failed_over_there_is_not_asked_for_ever(
    cloud: Cloud, provider: DashScope, cutout: Path
) -> None:
    cloud.fail("Waves", "InternalError", "An internal error has occurred.")
    status = await settled(provider, await provider.submit(a_request(cutout)))
    assert status.state is TaskState.FAILED
    assert "Retry the emoji" in status.message


async def test_a_task_that_has_expired_is_unknown(cloud: Cloud, provider: DashScope, cutout: Path) -> None:
    task = await provider.submit(a_request(cutout))
    cloud.turn(keeps_seconds=0.0)
    assert (await provider.check(task)).state is TaskState.UNKNOWN


@pytest.mark.parametrize(
    ("fault", "more"),
    [
        ("error_before", {"status": 500}),
        ("error_before", {"status": 429, "code": "Throttling", "retry_after": "3"}),
        ("html", {"status": 502}),
        ("drop_before", {}),
        ("garbled", {}),
        ("truncated", {}),
    ],
)
async def test_trouble_with_asking_is_no_failure_of_the_task(
    cloud: Cloud, provider: DashScope, cutout: Path, fault: str, more: dict[str, object]
) -> None:
    task = await provider.submit(a_request(cutout))
    cloud.fault("query", fault, **more)
    with pytest.raises(ProviderUnreachable) as caught:
        await provider.check(task)
    assert caught.value.retries > 0
    assert (caught.value.details or {}).get("retry_after") == (3.0 if "retry_after" in more else None)
    assert (await settled(provider, task)).state is TaskState.SUCCEEDED


async def test_what_it_cost_is_known_after_a_restart_too(cloud: Cloud, provider: DashScope, cutout: Path) -> None:
    task = await provider.submit(a_request(cutout))
    await settled(provider, task)
    assert (await customer(cloud.base_url).check(task)).billed == pytest.approx(0.5)


async def test_an_id_that_somebody_typed_stays_within_its_path(cloud: Cloud, provider: DashScope) -> None:
    for typed in ("../services", "a/b?c=d#e", "", "ü", "%2e%2e"):
        assert (await provider.check(RemoteTask("dashscope", typed))).state is TaskState.UNKNOWN
    assert cloud.calls == {"query": 5}
