"""The shop page that the web channel serves: what it shows, and the page itself."""

import json
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

ASSETS = Path(__file__).parent / "assets"


@dataclass(frozen=True, slots=True)
class Offer:
    """Something the shop page shows for sale."""

    id: str
    """Names its picture: `/channels/web/art/<id>.svg`."""
    name: str
    """As customers know it."""
    price: str
    """As people write it, with its currency."""
    text: str
    """A line or two about it."""


@dataclass(frozen=True, slots=True)
class OpeningHours:
    """A line of the opening hours."""

    days: str
    """Such as `Monday` or `Monday to Wednesday`."""
    hours: str
    """Such as `09:00–18:00` or `closed`."""


@dataclass(frozen=True, slots=True)
class Storefront:
    """What the shop page shows; the core's shop in words ready to print."""

    name: str
    """The business."""
    offers: tuple[Offer, ...] = ()
    """In the order they are shown."""
    hours: tuple[OpeningHours, ...] = ()
    """In the order they are shown."""
    delivery_areas: tuple[str, ...] = ()
    """Where it delivers."""
    delivery_price: str = ""
    """What a delivery costs, with currency."""
    same_day_until: str = ""
    """Until when orders for today are taken, such as `14:00`."""
    payments: tuple[str, ...] = ()
    """Ways to pay."""


def page(storefront: Storefront) -> str:
    """The shop page as HTML."""
    templates = Environment(loader=FileSystemLoader(ASSETS), autoescape=True, undefined=StrictUndefined)
    return templates.get_template("shop.html").render(shop=storefront)


def script(storefront: Storefront, sign_in: str | None) -> str:
    """The chat's script, which carries what embedding sites need not say: the shop's name, and where staff sign in."""
    # Escaped as HTML would need it too, because some sites paste scripts into their pages.
    name = json.dumps(storefront.name).replace("<", "\\u003c")
    source = (ASSETS / "chat.js").read_text(encoding="utf-8").replace('"The shop"', name, 1)
    return source.replace("SIGN_IN = null", f"SIGN_IN = {json.dumps(sign_in)}", 1)


def picture(storefront: Storefront, name: str) -> Path | None:
    """The picture of something for sale; a plain one where none was drawn, None for anything else."""
    if name not in {offer.id for offer in storefront.offers}:
        return None
    drawn = ASSETS / f"{name}.svg"
    return drawn if drawn.is_file() else ASSETS / "bouquet.svg"
