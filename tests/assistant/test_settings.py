"""Settings: an unsafe or malformed value stops the start, and is named."""

from pathlib import Path

import pytest

from assistant.errors import SettingsError
from assistant.settings import Settings

TWILIO = {
    "ASSISTANT_TWILIO_ACCOUNT_SID": "AC123",
    "ASSISTANT_TWILIO_AUTH_TOKEN": "token",
    "ASSISTANT_TWILIO_NUMBER": "+447700900000",
    "ASSISTANT_PUBLIC_URL": "https://shop.example",
}


@pytest.fixture(autouse=True)
def _empty_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for name in TWILIO:
        monkeypatch.delenv(name, raising=False)


def load(monkeypatch: pytest.MonkeyPatch, values: dict[str, str]) -> Settings:
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    return Settings.load()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "70000"),
        ("PORT", "http"),
        ("PUBLIC_URL", "shop.example"),
        ("PUBLIC_URL", "ftp://shop.example"),
        ("PUBLIC_URL", "https://ana:pw@shop.example"),
        ("PUBLIC_URL", "https://shop.example/?a=b"),
        ("PUBLIC_URL", "https://shop.example/#rc=2"),
        ("SECRET", "short"),
        ("SITE_SECRET", "short"),
        ("METRICS_TOKEN", "short"),
        ("DATABASE_URL", "mysql://localhost/shop"),
        ("LOG_LEVEL", "LOUD"),
        ("TURN_DEADLINE_SECONDS", "0"),
        ("TURNS_PER_MINUTE", "0"),
        ("IDLE_MINUTES", '{"web": 0}'),
        ("HOLD_MINUTES", "0"),
        ("TWILIO_API_URL", "http://api.twilio.com"),
        ("TWILIO_NUMBER", "07700 900000"),
    ],
)
def test_an_unsafe_value_is_refused_by_its_name(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    with pytest.raises(SettingsError) as refused:
        load(monkeypatch, {f"ASSISTANT_{name}": value})
    assert str(refused.value).startswith(f"ASSISTANT_{name}: ")


@pytest.mark.parametrize("name", ["SECRET", "METRICS_TOKEN", "SITE_SECRET"])
def test_a_refused_secret_is_not_quoted(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    with pytest.raises(SettingsError) as refused:
        load(monkeypatch, {f"ASSISTANT_{name}": "hunter2"})
    assert "hunter2" not in str(refused.value)


def test_every_fault_is_said_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SettingsError) as refused:
        load(monkeypatch, {"ASSISTANT_PORT": "x", "ASSISTANT_SECRET": "short"})
    assert {line.partition(":")[0] for line in str(refused.value).splitlines()} == {
        "ASSISTANT_PORT",
        "ASSISTANT_SECRET",
    }


@pytest.mark.parametrize("missing", sorted(TWILIO))
def test_half_of_twilio_is_refused_naming_what_it_needs(monkeypatch: pytest.MonkeyPatch, missing: str) -> None:
    with pytest.raises(SettingsError) as refused:
        load(monkeypatch, {name: value for name, value in TWILIO.items() if name != missing})
    assert missing.removeprefix("ASSISTANT_TWILIO") in str(refused.value)
    assert "token" not in str(refused.value)


def test_all_of_twilio_turns_texting_on(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not load(monkeypatch, {}).texting
    assert load(monkeypatch, TWILIO).texting


def test_an_empty_line_in_the_file_is_as_good_as_none(monkeypatch: pytest.MonkeyPatch) -> None:
    Path(".env").write_text("ASSISTANT_SECRET=\nASSISTANT_METRICS_TOKEN=\nASSISTANT_PORT=8001\n")
    settings = load(monkeypatch, {})
    assert (settings.secret, settings.metrics_token, settings.port) == (None, None, 8001)


@pytest.mark.parametrize(("url", "secure"), [("https://shop.example/", True), ("http://localhost:8000", False)])
def test_cookies_are_secure_behind_https(monkeypatch: pytest.MonkeyPatch, url: str, secure: bool) -> None:
    settings = load(monkeypatch, {"ASSISTANT_PUBLIC_URL": url})
    assert settings.secure_cookies is secure
    assert settings.public_url == url.rstrip("/")
