"""The business, read from `data/shop.yml`: its name, bouquets, prices, hours, areas and ways to pay."""

from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import yaml
from babel.numbers import UnknownCurrencyError, format_currency, get_currency_precision, validate_currency
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from assistant.errors import SettingsError

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in minor units (cents, pence)."""

    minor: int
    """How many minor units."""
    currency: str
    """ISO 4217 code."""

    def __add__(self, other: "Money") -> "Money":
        if other.currency != self.currency:
            raise ValueError(f"cannot add {other.currency} to {self.currency}")
        return Money(self.minor + other.minor, self.currency)

    def format(self, locale: str = "en") -> str:
        """As people of the locale write it: £35.00."""
        amount = Decimal(self.minor).scaleb(-get_currency_precision(self.currency))
        return format_currency(amount, self.currency, locale=locale)


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Bouquet(_Strict):
    """Something to buy."""

    id: str
    name: str
    price: int = Field(ge=0)
    """Minor units."""
    colours: tuple[str, ...]
    flowers: tuple[str, ...]
    text: str

    @property
    def names(self) -> tuple[str, str]:
        """What it goes by, in lower case."""
        return self.id.casefold(), self.name.casefold()

    @property
    def image(self) -> str:
        """Path of its picture."""
        return f"/channels/web/art/{self.id}.svg"


class Payment(_Strict):
    """A way to pay."""

    id: str
    title: str


class Shop(_Strict):
    """The whole file."""

    name: str
    timezone: str
    currency: str
    same_day_until: time
    days_ahead: int = Field(ge=0)
    delivery_price: int = Field(ge=0)
    hours: dict[str, str]
    delivery_areas: tuple[str, ...]
    payments: tuple[Payment, ...]
    bouquets: tuple[Bouquet, ...]

    @field_validator("timezone")
    @classmethod
    def _timezone_exists(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (LookupError, ValueError):
            raise ValueError(f"{value} is no time zone, such as Europe/London") from None
        return value

    @field_validator("currency")
    @classmethod
    def _currency_exists(cls, value: str) -> str:
        try:
            validate_currency(value)
        except UnknownCurrencyError:
            raise ValueError(f"{value} is no currency, such as GBP") from None
        return value

    @field_validator("hours")
    @classmethod
    def _hours_are_spans_of_weekdays(cls, value: dict[str, str]) -> dict[str, str]:
        for day, span in value.items():
            if day not in WEEKDAYS:
                raise ValueError(f"{day} is no day of the week")
            opens, closes = _span(span)
            if not opens < closes:
                raise ValueError(f"{day} closes before it opens")
        return value

    @field_validator("bouquets", "payments")
    @classmethod
    def _ids_are_unique(cls, value: "tuple[Bouquet | Payment, ...]") -> "tuple[Bouquet | Payment, ...]":
        if not value or len({thing.id for thing in value}) != len(value):
            raise ValueError("there must be at least one, each with an id of its own")
        return value

    @classmethod
    def load(cls, path: Path) -> "Shop":
        """Read and check the file. Raises `SettingsError` naming the field that is wrong."""
        try:
            return cls.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
        except (OSError, yaml.YAMLError, ValidationError) as error:
            raise SettingsError(f"{path}: {error}") from error

    @property
    def zone(self) -> ZoneInfo:
        """Its time zone."""
        return ZoneInfo(self.timezone)

    def money(self, minor: int) -> Money:
        """An amount in the shop's currency."""
        return Money(minor, self.currency)

    def bouquet(self, bouquet_id: str) -> Bouquet | None:
        """The bouquet with this id, if it is (still) sold."""
        return next((bouquet for bouquet in self.bouquets if bouquet.id == bouquet_id), None)

    def payment(self, payment_id: str) -> Payment | None:
        """The way to pay with this id."""
        return next((payment for payment in self.payments if payment.id == payment_id), None)

    def open_hours(self, day: date) -> tuple[time, time] | None:
        """Opening and closing time on a day; None when closed."""
        span = self.hours.get(WEEKDAYS[day.weekday()])
        return None if span is None else _span(span)

    def today(self, now: datetime) -> date:
        """The date in the shop at this moment."""
        return now.astimezone(self.zone).date()


def _span(text: str) -> tuple[time, time]:
    opens, closes = text.split("-")
    return time.fromisoformat(opens), time.fromisoformat(closes)
