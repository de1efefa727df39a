"""Orders, and the share codes by which somebody else gets the same bouquet."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from assistant.database import Base, UnitOfWork, new_id
from assistant.numbers import new_number, new_share_code, tidy_share_code
from assistant.profiles import PersonRow
from assistant.shop import Money


class OrderStatus(StrEnum):
    """Where an order is."""

    PLACED = "placed"
    CANCELLED = "cancelled"
    DELIVERED = "delivered"


class OrderRow(Base):
    """One order."""

    __tablename__ = "orders"

    id: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(unique=True)
    person_id: Mapped[str] = mapped_column(ForeignKey("people.id", deferrable=True, initially="DEFERRED"), index=True)
    conversation_id: Mapped[str]
    bouquet_id: Mapped[str]
    bouquet_name: Mapped[str]
    day: Mapped[date]
    address: Mapped[str]
    card_text: Mapped[str | None]
    payment: Mapped[str]
    price_minor: Mapped[int]
    delivery_minor: Mapped[int]
    currency: Mapped[str]
    status: Mapped[str]
    placed_at: Mapped[datetime]
    share_code: Mapped[str] = mapped_column(unique=True)
    forgotten: Mapped[bool]
    """The person asked to be forgotten: where it goes and what the card says are erased once it is over."""
    version: Mapped[int] = mapped_column()

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012 - SQLAlchemy declares it as no class variable


class ShareRow(Base):
    """What a share code leads to. A bouquet bought in the shop has one without an order."""

    __tablename__ = "shares"

    id: Mapped[str] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(unique=True)
    bouquet_id: Mapped[str]
    person_id: Mapped[str | None] = mapped_column(
        ForeignKey("people.id", deferrable=True, initially="DEFERRED"), index=True
    )
    """Whose order it was; none for a sale in the shop."""
    name: Mapped[str | None]
    """Who bought it in the shop, as they gave it."""
    created_at: Mapped[datetime]


@dataclass(frozen=True, slots=True)
class OrderDraft:
    """What a person has decided, before it is placed."""

    bouquet_id: str
    bouquet_name: str
    """As it was called when it was bought."""
    day: date
    """Day of delivery, in the shop's time zone."""
    address: str
    """Where to, as written on the parcel."""
    card_text: str | None
    """What the card says, if there is one."""
    payment: str
    """Id of the way to pay."""
    price: Money
    delivery: Money

    @property
    def total(self) -> Money:
        """What is to be paid."""
        return self.price + self.delivery


@dataclass(frozen=True, slots=True)
class Order(OrderDraft):
    """An order that was placed."""

    number: str
    """What people say to name it, such as F-4821."""
    status: OrderStatus
    share_code: str
    """Whoever has it can order the same bouquet."""
    placed_at: datetime


@dataclass(frozen=True, slots=True)
class SharedBouquet:
    """All that a share code tells about somebody else's bouquet."""

    bouquet_id: str
    owner: str | None
    """First name of who bought it, when they gave one."""


class Orders:
    """The orders, within one unit of work."""

    def __init__(self, unit: UnitOfWork, now: datetime) -> None:
        self._unit = unit
        self._now = now

    def place(self, person_id: str, conversation_id: str, draft: OrderDraft) -> Order:
        """Place the order."""
        row = OrderRow(
            id=new_id(),
            number=new_number("F", lambda number: self._unit.row(OrderRow, number=number) is not None),
            person_id=person_id,
            conversation_id=conversation_id,
            bouquet_id=draft.bouquet_id,
            bouquet_name=draft.bouquet_name,
            day=draft.day,
            address=draft.address,
            card_text=draft.card_text,
            payment=draft.payment,
            price_minor=draft.price.minor,
            delivery_minor=draft.delivery.minor,
            currency=draft.total.currency,
            status=OrderStatus.PLACED,
            placed_at=self._now,
            share_code=self._share(draft.bouquet_id, person_id=person_id, name=None),
            forgotten=False,
        )
        self._unit.add(row)
        return _order(row)

    def of_person(self, person_id: str) -> tuple[Order, ...]:
        """The person's orders, newest first."""
        rows = sorted(
            self._unit.rows(OrderRow, person_id=person_id),
            key=lambda row: row.placed_at,
            reverse=True,
        )
        return tuple(map(_order, rows))

    def by_number(self, person_id: str, number: str) -> Order | None:
        """The person's order with this number; nobody else's is found."""
        row = self._unit.row(OrderRow, person_id=person_id, number=number.upper())
        return _order(row) if row else None

    def by_share_code(self, code: str) -> SharedBouquet | None:
        """What this code leads to, however it was written."""
        row = self._unit.row(ShareRow, code=tidy_share_code(code))
        if row is None:
            return None
        person = self._unit.row(PersonRow, id=row.person_id) if row.person_id else None
        name = person.name if person else row.name
        return SharedBouquet(row.bouquet_id, name.split()[0] if name and name.strip() else None)

    def change_day(self, person_id: str, number: str, day: date) -> Order:
        """Deliver on another day. Raises `LookupError` unless it is the person's and still to be delivered."""
        row = self._placed_row(person_id, number)
        row.day = day
        return _order(row)

    def cancel(self, person_id: str, number: str) -> Order:
        """Call it off. Raises `LookupError` unless it is the person's and still to be delivered."""
        row = self._placed_row(person_id, number)
        row.status = OrderStatus.CANCELLED
        return _order(row)

    def forget(self, person_id: str, today: date) -> None:
        """Keep what the law makes a shop keep of the person's orders: number, bouquet, day, price.

        Where an order goes and what its card says stay until it is delivered or cancelled; then `erase_over` erases
        them. `today` is the date in the shop.
        """
        for row in self._unit.rows(OrderRow, person_id=person_id):
            row.forgotten = True
            _erase_if_over(row, today)

    def erase_over(self, today: date) -> None:
        """Erase where orders of forgotten people went and what the card said, once they are delivered or cancelled."""
        for row in self._unit.rows(OrderRow, forgotten=True):
            _erase_if_over(row, today)

    def record_sale(self, name: str | None, bouquet_id: str) -> str:
        """A bouquet was sold in the shop to somebody of this name; returns the share code to give them."""
        return self._share(bouquet_id, person_id=None, name=name)

    def _placed_row(self, person_id: str, number: str) -> OrderRow:
        row = self._unit.row(OrderRow, person_id=person_id, number=number, status=OrderStatus.PLACED)
        if row is None:
            raise LookupError(f"no open order {number} of person {person_id}")
        return row

    def _share(self, bouquet_id: str, *, person_id: str | None, name: str | None) -> str:
        code = new_share_code(lambda code: self._unit.row(ShareRow, code=code) is not None)
        self._unit.add(
            ShareRow(
                id=new_id(),
                code=code,
                bouquet_id=bouquet_id,
                person_id=person_id,
                name=name,
                created_at=self._now,
            )
        )
        return code


def _erase_if_over(row: OrderRow, today: date) -> None:
    if row.status != OrderStatus.PLACED or row.day < today:
        row.address, row.card_text = "", None


def _order(row: OrderRow) -> Order:
    return Order(
        bouquet_id=row.bouquet_id,
        bouquet_name=row.bouquet_name,
        day=row.day,
        address=row.address,
        card_text=row.card_text,
        payment=row.payment,
        price=Money(row.price_minor, row.currency),
        delivery=Money(row.delivery_minor, row.currency),
        number=row.number,
        status=OrderStatus(row.status),
        share_code=row.share_code,
        placed_at=row.placed_at,
    )
