"""Our custom actions behind rasa-sdk's protocol, for stock Rasa to call: `POST /webhook`, one call of one action.

    python -m benchmarks.action_server --port PORT

rasa-sdk's executor runs them, on the server that rasa-sdk runs on. Its own endpoint cannot: it makes the actions
itself, from classes, and ours are made with what they need. Around each call there is what our actions work on: a turn
and a unit of work, which is committed before the answer goes out, as the assistant does around each turn. The database
(`ASSISTANT_DATABASE_URL`, migrated) has people, orders and requests, but no conversations: those are in Rasa's store.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rasa_sdk.executor import ActionExecutor
from rasa_sdk.interfaces import ActionExecutionRejection
from sanic import HTTPResponse, Request, Sanic
from sanic.response import json

from actions import all_actions
from assistant.assurance import Presences, Proofs
from assistant.codes import Codes
from assistant.context import TurnContext, TurnScope
from assistant.database import Database, UnitOfWork, new_id
from assistant.links import Links
from assistant.orders import Orders
from assistant.outbox import Outbox
from assistant.profiles import Profiles
from assistant.requests import Requests
from assistant.screens import Screens
from assistant.secret import secret_key
from assistant.settings import Settings
from assistant.shop import Shop
from assistant.turns import Address, Assurance, Modality, Turn, TurnKind


class Contexts:
    """Makes of Rasa's tracker what an action of ours may touch."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._shop = Shop.load(settings.data_dir / "shop.yml")
        self._key = secret_key(settings)

    def context(self, unit: UnitOfWork, tracker: Mapping[str, Any]) -> TurnContext:
        """The turn that a call belongs to, from the tracker in it."""
        now = datetime.now(UTC)
        turn = Turn(
            channel="sms",
            address=Address("phone", tracker["sender_id"]),
            turn_id=new_id(),
            kind=TurnKind.SAID,
            text=tracker["latest_message"]["text"] or "",
            modality=Modality.TEXT,
            assurance=Assurance.CLAIMED,
            received_at=now,
        )
        profiles = Profiles(unit, now)
        return TurnContext(
            turn=turn,
            person=profiles.find_or_create(turn.address, turn.assurance),
            conversation_id=tracker["sender_id"],
            now=now,
            shop=self._shop,
            profiles=profiles,
            orders=Orders(unit, now),
            requests=Requests(unit, now),
            codes=Codes(unit, now, self._key),
            outbox=Outbox(unit, now),
            screens=Screens(unit, now, self._key),
            links=Links(unit, now, self._key),
            proofs=Proofs(unit, now),
            presences=Presences(unit, now),
            public_url=self._settings.public_url,
            texting=True,
            hold_minutes=self._settings.hold_minutes,
        )


def make_server(settings: Settings) -> Sanic:
    """The server; the database must be migrated."""
    database = Database(settings.database_url)
    contexts = Contexts(settings)
    executor = ActionExecutor()
    for action in all_actions():
        executor.register_action(action)
    server = Sanic("actions", configure_logging=False)

    @server.post("/webhook")
    async def call(request: Request) -> HTTPResponse:
        with database.unit_of_work() as unit, TurnScope(contexts.context(unit, request.json["tracker"])):
            try:
                result = await executor.run(request.json)
            except ActionExecutionRejection as rejection:
                return json({"error": rejection.message, "action_name": rejection.action_name}, status=400)
            unit.commit()
        return json(result)

    return server


def main(port: Annotated[int, typer.Option(help="Where to listen, on this machine.")]) -> None:
    """Serve our actions until stopped."""
    make_server(Settings.load()).run("127.0.0.1", port, workers=1, access_log=False)


if __name__ == "__main__":
    typer.run(main)
