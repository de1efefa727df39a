"""The routes of this package, as far as the settings ask for them."""

from collections.abc import Callable
from datetime import datetime

from fastapi import APIRouter

from assistant.database import Database
from assistant.identity.consent import Consent
from assistant.identity.linking import AccountLinking
from assistant.identity.opening import Opening
from assistant.identity.page import Pages, style_router
from assistant.identity.provider import Provider, Registration
from assistant.identity.proving import Browsers
from assistant.identity.server import Client
from assistant.identity.sign_in import CALLBACK_PATH, SignIn
from assistant.secret import secret_key
from assistant.settings import Settings
from assistant.shop import Shop


def identity_routers(
    settings: Settings,
    database: Database,
    browsers: Browsers,
    shop: Shop,
    now: Callable[[], datetime],
    on_commit: Callable[[], None],
) -> list[APIRouter]:
    """The routes; none without a public address, which every way in needs."""
    routers: list[APIRouter] = []
    pages, key, public_url = Pages(shop.name), secret_key(settings), settings.public_url
    if public_url is None:
        return routers
    routers.append(Opening(database, browsers, pages, shop, public_url=public_url, key=key, now=now).router())
    if settings.oidc_issuer and settings.oidc_client_id:
        secret, claim = settings.oidc_client_secret, settings.oidc_employee_claim
        registration = Registration(
            issuer=settings.oidc_issuer,
            client_id=settings.oidc_client_id,
            client_secret=secret.get_secret_value() if secret else None,
            employee_claim=claim.partition("=")[::2] if claim else None,
            redirect_uri=f"{public_url}{CALLBACK_PATH}",
        )
        routers.append(SignIn(Provider(registration, now), database, browsers, pages, shop, key, now).router())
    if settings.oauth_client_id and settings.oauth_client_secret:
        client = Client(
            settings.oauth_client_id, settings.oauth_client_secret.get_secret_value(), settings.oauth_redirect_uris
        )
        consent = Consent(client, browsers, pages, shop=shop, key=key, texting=settings.texting, now=now)
        linking = AccountLinking(consent, database, browsers, pages, public_url=public_url, on_commit=on_commit)
        routers.append(linking.router())
    return [*routers, style_router()]
