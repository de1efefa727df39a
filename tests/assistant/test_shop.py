"""The business: read whole or refused by the field that is wrong."""

from datetime import UTC, date, datetime, time
from pathlib import Path

import pytest

from assistant.errors import SettingsError
from assistant.shop import Money, Shop
from tests.assistant.conftest import SHOP


@pytest.fixture
def shop() -> Shop:
    return Shop.load(SHOP)


def test_it_knows_its_bouquets_and_payments(shop: Shop) -> None:
    bouquet = shop.bouquet("spring-meadow")
    assert bouquet is not None
    assert (bouquet.name, shop.money(bouquet.price).format()) == ("Spring Meadow", "£35.00")
    payment = shop.payment("cash")
    assert payment is not None
    assert payment.title == "Cash on delivery"
    assert (shop.bouquet("polonium"), shop.payment("polonium")) == (None, None)


def test_hours_of_a_day(shop: Shop) -> None:
    assert shop.open_hours(date(2026, 5, 21)) == (time(9), time(20))
    assert shop.open_hours(date(2026, 5, 24)) is None


@pytest.mark.parametrize(
    ("moment", "day"),
    [
        (datetime(2026, 5, 20, 22, 59, tzinfo=UTC), date(2026, 5, 20)),
        (datetime(2026, 5, 20, 23, 0, tzinfo=UTC), date(2026, 5, 21)),
        (datetime(2026, 12, 20, 23, 59, tzinfo=UTC), date(2026, 12, 20)),
    ],
)
def test_today_is_the_shops_own(shop: Shop, moment: datetime, day: date) -> None:
    assert shop.today(moment) == day


@pytest.mark.parametrize(
    ("money", "written"),
    [
        (Money(3995, "GBP"), "£39.95"),
        (Money(5, "GBP"), "£0.05"),
        (Money(500, "JPY"), "¥500"),
        (Money(9_007_199_254_740_993, "GBP"), "£90,071,992,547,409.93"),
    ],
)
def test_money_is_written_to_the_last_unit(money: Money, written: str) -> None:
    assert money.format() == written


def test_two_currencies_do_not_add_up() -> None:
    assert Money(1, "GBP") + Money(2, "GBP") == Money(3, "GBP")
    with pytest.raises(ValueError, match="EUR"):
        Money(1, "GBP") + Money(2, "EUR")


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [
        ("Europe/London", "Europe/Lond", "timezone"),
        ("currency: GBP", "currency: POUNDS", "currency"),
        ('monday: "09:00-18:00"', 'monday: "nine to five"', "hours"),
        ('monday: "09:00-18:00"', 'monday: "18:00-09:00"', "hours"),
        ('monday: "09:00-18:00"', 'moonday: "09:00-18:00"', "hours"),
        ("delivery_price: 495", "delivery_price: -1", "delivery_price"),
        ("price: 5500", "price: free", "bouquets.1.price"),
        ("id: rose-garden", "id: spring-meadow", "bouquets"),
        ("id: cash", "id: card", "payments"),
        ("name: Fiore", "nmae: Fiore", "name"),
        ("name: Fiore", "name: [Fiore", "while parsing"),
    ],
)
def test_a_wrong_field_is_named(tmp_path: Path, old: str, new: str, field: str) -> None:
    content = SHOP.read_text(encoding="utf-8")
    assert old in content
    path = tmp_path / "shop.yml"
    path.write_text(content.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(SettingsError) as refused:
        Shop.load(path)
    assert field in str(refused.value)
    assert str(path) in str(refused.value)


def test_a_missing_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"none\.yml"):
        Shop.load(tmp_path / "none.yml")
