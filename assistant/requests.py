"""What employees ask for: help with equipment, leave, supplies."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from assistant.database import Base, UnitOfWork, new_id
from assistant.numbers import new_number


class RequestKind(StrEnum):
    """What is asked for."""

    IT = "it"
    LEAVE = "leave"
    SUPPLIES = "supplies"


class RequestStatus(StrEnum):
    """Where a request is."""

    OPEN = "open"
    APPROVED = "approved"
    DECLINED = "declined"
    DONE = "done"


class RequestRow(Base):
    """One request."""

    __tablename__ = "requests"

    id: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(unique=True)
    person_id: Mapped[str] = mapped_column(ForeignKey("people.id", deferrable=True, initially="DEFERRED"), index=True)
    kind: Mapped[str]
    summary: Mapped[str]
    urgent: Mapped[bool]
    first_day: Mapped[date | None]
    last_day: Mapped[date | None]
    status: Mapped[str]
    created_at: Mapped[datetime]
    version: Mapped[int] = mapped_column()

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012 - SQLAlchemy declares it as no class variable


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestDraft:
    """What an employee asks for."""

    kind: RequestKind
    summary: str
    """In their words: what is broken, what is needed, what kind of leave."""
    urgent: bool = False
    """Whether work stands still until it is done."""
    first_day: date | None = None
    """First day of leave."""
    last_day: date | None = None
    """Last day of leave."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request(RequestDraft):
    """A request that was handed in."""

    number: str
    """What people say to name it, such as R-1042."""
    status: RequestStatus


class Requests:
    """The requests, within one unit of work."""

    def __init__(self, unit: UnitOfWork, now: datetime) -> None:
        self._unit = unit
        self._now = now

    def hand_in(self, person_id: str, draft: RequestDraft) -> Request:
        """Record the request."""
        row = RequestRow(
            id=new_id(),
            number=new_number(
                "R",
                lambda number: self._unit.row(RequestRow, number=number) is not None,
            ),
            person_id=person_id,
            kind=draft.kind,
            summary=draft.summary,
            urgent=draft.urgent,
            first_day=draft.first_day,
            last_day=draft.last_day,
            status=RequestStatus.OPEN,
            created_at=self._now,
        )
        self._unit.add(row)
        return _request(row)

    def of_person(self, person_id: str) -> tuple[Request, ...]:
        """The person's requests, newest first."""
        rows = sorted(
            self._unit.rows(RequestRow, person_id=person_id),
            key=lambda row: row.created_at,
            reverse=True,
        )
        return tuple(map(_request, rows))

    def by_number(self, person_id: str, number: str) -> Request | None:
        """The person's request with this number; nobody else's is found."""
        row = self._unit.row(RequestRow, person_id=person_id, number=number.upper())
        return _request(row) if row else None

    def forget(self, person_id: str) -> None:
        """Take out the words of the person's requests; that there were some, of what kind and for when, remains."""
        for row in self._unit.rows(RequestRow, person_id=person_id):
            row.summary = ""


def _request(row: RequestRow) -> Request:
    return Request(
        kind=RequestKind(row.kind),
        summary=row.summary,
        urgent=row.urgent,
        first_day=row.first_day,
        last_day=row.last_day,
        number=row.number,
        status=RequestStatus(row.status),
    )
