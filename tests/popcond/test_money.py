"""Sums as a person reads them."""

from __future__ import annotations

import pytest

from popcond.wire import sum_of_money


@pytest.mark.parametrize(
    ("amount", "told"),
    [(0.0, "0.00 USD"), (1.5, "1.50 USD"), (0.075, "0.075 USD"), (0.1 + 0.2, "0.30 USD"), (1200.0, "1200.00 USD")],
)
def test_cents_are_told_and_more_only_where_a_price_has_more(amount: float, told: str) -> None:
    assert sum_of_money(amount, "USD") == told
