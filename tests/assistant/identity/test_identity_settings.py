"""Settings of signing in and linking accounts: half given or unsafe ones stop the start."""

import pytest
from pydantic import ValidationError

from assistant.settings import Settings, is_safe_url

SIGN_IN = {"public_url": "https://shop.example", "oidc_issuer": "https://id.example", "oidc_client_id": "shop"}
LINKING = {
    "public_url": "https://shop.example",
    "oauth_client_id": "speaker",
    "oauth_client_secret": "s" * 32,
    "oauth_redirect_uris": ("https://speaker.example/back",),
}


@pytest.mark.parametrize("given", [{}, SIGN_IN, LINKING, {**SIGN_IN, **LINKING, "oidc_employee_claim": "a=b=c"}])
def test_whole_settings_are_taken(given: dict[str, object]) -> None:
    Settings.model_validate(given)


@pytest.mark.parametrize(
    "given",
    [
        {**SIGN_IN, "oidc_client_id": None},
        {**SIGN_IN, "oidc_issuer": None},
        {**SIGN_IN, "public_url": None},
        {**SIGN_IN, "public_url": "http://shop.example"},
        {**SIGN_IN, "oidc_issuer": "http://id.example"},
        {**SIGN_IN, "oidc_issuer": "https://id.example?tenant=1"},
        {**SIGN_IN, "oidc_employee_claim": "staff"},
        {**SIGN_IN, "oidc_employee_claim": "=staff"},
        {**LINKING, "oauth_client_secret": None},
        {**LINKING, "oauth_client_secret": "short"},
        {**LINKING, "oauth_redirect_uris": ()},
        {**LINKING, "oauth_redirect_uris": ("http://speaker.example/back",)},
        {**LINKING, "oauth_redirect_uris": ("https://speaker.example/back#x",)},
        {**LINKING, "public_url": "http://shop.example"},
    ],
)
def test_half_given_or_unsafe_settings_stop_the_start(given: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Settings.model_validate(given)


@pytest.mark.parametrize(
    ("url", "safe"),
    [
        ("https://a.example", True),
        ("http://127.0.0.1:8000/x", True),
        ("http://localhost/", True),
        ("http://a.example", False),
        ("http://localhost.a.example", False),
        ("https://", False),
        ("https://user@a.example", False),
        ("javascript:alert(1)", False),
        ("", False),
    ],
)
def test_secrets_travel_over_https_or_within_the_machine(url: str, safe: bool) -> None:
    assert is_safe_url(url) is safe
