"""What anybody may ask in a shop: what there is, when it is open, where it delivers, how to pay."""

from dataclasses import replace

from rasa_sdk import Tracker
from rasa_sdk.events import EventType
from rasa_sdk.executor import CollectingDispatcher
from rasa_sdk.types import DomainDict

from actions.act import Act
from actions.days import days_in, spoken
from actions.hearing import Heard
from actions.order_questions import card_of, priced
from actions.reading import area, bouquets
from actions.saying import Say, offer
from assistant.needs import ANYONE
from assistant.shop import WEEKDAYS, Bouquet, Shop
from assistant.turns import Choice, Modality


class Browse(Act):
    """Shows the bouquets, or those with the flowers, colours or names that were asked for."""

    needs = ANYONE

    def name(self) -> str:
        """Rasa's name for it."""
        return "action_browse"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict) -> list[EventType]:
        """Show them: as cards where there is a screen, as one list where there is none."""
        heard = Heard.of(tracker)
        shop = heard.context.shop
        found = bouquets(heard.text, shop)
        shown = found or shop.bouquets
        ordering = (tracker.active_loop or {}).get("name") == "order_form"
        beside = heard.context.heard_beside_screen
        if heard.context.turn.modality is Modality.SCREEN or beside:
            Say("utter_on_screen" if beside else "utter_bouquets").utter(dispatcher)
            for bouquet in shown:
                card = _as_card(bouquet, shop, choosable=not ordering)
                (replace(card, speech="") if beside else card).utter(dispatcher)
        elif len(shown) == 1:
            _as_card(shown[0], shop, choosable=not ordering).utter(dispatcher)
        else:
            choices = () if ordering else tuple(_order(bouquet, priced(bouquet, shop)) for bouquet in shown)
            names = ", ".join(bouquet.name for bouquet in shown)
            response = "utter_bouquets" if choices else "utter_bouquet_names"
            Say(response, values={"names": names}, choices=choices).utter(dispatcher)
        return []


def _as_card(bouquet: Bouquet, shop: Shop, *, choosable: bool) -> Say:
    choices = (_order(bouquet, f"Order {bouquet.name}"),) if choosable else ()
    return Say(text=f"{priced(bouquet, shop)}. {bouquet.text}", choices=choices, card=card_of(bouquet, shop))


def _order(bouquet: Bouquet, title: str) -> Choice:
    return offer(title, "order_bouquet", bouquet=bouquet.id)


class AskHours(Act):
    """When the shop is open: on the day that was named, or today and in general."""

    needs = ANYONE

    def name(self) -> str:
        """Rasa's name for it."""
        return "action_ask_hours"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict) -> list[EventType]:
        """Say it."""
        heard = Heard.of(tracker)
        shop = heard.context.shop
        named = days_in(heard.text, heard.now)
        today = shop.today(heard.context.now)
        day = named[0] if named else today
        said_day = "today" if day == today else f"on {spoken(day)}"
        hours = shop.open_hours(day)
        values = {"said_day": said_day, "week": week(shop)}
        if hours is None:
            Say("utter_closed_on", values=values).utter(dispatcher)
        else:
            values |= {"opens": f"{hours[0]:%H:%M}", "closes": f"{hours[1]:%H:%M}"}
            Say("utter_open_on" if named else "utter_open", values=values).utter(dispatcher)
        return []


def week(shop: Shop) -> str:
    """The week in a line: "Monday to Wednesday 09:00 to 18:00, ..."; days left out are closed."""
    spans: list[tuple[str, list[str]]] = []
    for weekday in WEEKDAYS:
        hours = shop.hours.get(weekday, "")
        if spans and spans[-1][0] == hours:
            spans[-1][1].append(weekday.title())
        else:
            spans.append((hours, [weekday.title()]))
    parts = []
    for hours, days in spans:
        joint = " and " if len(days) == 2 else " to "
        named = days[0] if len(days) == 1 else f"{days[0]}{joint}{days[-1]}"
        parts.append(f"{named} {hours.replace('-', ' to ') if hours else 'closed'}")
    return ", ".join(parts)


class AskDeliveryArea(Act):
    """Where the shop delivers."""

    needs = ANYONE

    def name(self) -> str:
        """Rasa's name for it."""
        return "action_ask_delivery_area"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict) -> list[EventType]:
        """Say whether the place that was named is among the areas, or which they are."""
        heard = Heard.of(tracker)
        shop = heard.context.shop
        named = area(heard.text, shop)
        values = {"price": shop.money(shop.delivery_price).format(), "areas": _listed(shop.delivery_areas)}
        if named is not None:
            Say("utter_delivers_to", values={**values, "area": named}).utter(dispatcher)
        else:
            Say("utter_delivery_areas", values=values).utter(dispatcher)
        return []


class AskPayment(Act):
    """How to pay."""

    needs = ANYONE

    def name(self) -> str:
        """Rasa's name for it."""
        return "action_ask_payment"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict) -> list[EventType]:
        """Say the ways there are."""
        shop = Heard.of(tracker).context.shop
        ways = _listed(tuple(way.title[:1].lower() + way.title[1:] for way in shop.payments), "or")
        Say("utter_payments", values={"ways": ways}).utter(dispatcher)
        return []


def _listed(names: tuple[str, ...], last: str = "and") -> str:
    return f"{', '.join(names[:-1])} {last} {names[-1]}" if len(names) > 1 else "".join(names)


def actions() -> tuple[Act, ...]:
    """The actions of the shop front."""
    return (Browse(), AskHours(), AskDeliveryArea(), AskPayment())
