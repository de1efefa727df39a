"""Every setting, read once from the environment or `.env`. The only module that reads the environment."""

import os
import re
from pathlib import Path
from typing import Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, PositiveInt, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from assistant.errors import SettingsError

LOOPBACK_HOSTS = ("127.0.0.1", "::1", "localhost")


class Settings(BaseSettings):
    """The settings of one process. Names in the environment have the prefix `ASSISTANT_`."""

    model_config = SettingsConfigDict(
        env_prefix="ASSISTANT_", env_file=".env", env_ignore_empty=True, extra="ignore", frozen=True
    )

    host: str = "127.0.0.1"
    """Address to listen on."""
    port: int = Field(default=8000, ge=0, le=65535)
    """Port to listen on; 0 takes a free one."""
    public_url: str | None = None
    """Where the outside world reaches us, such as https://shop.example; webhooks are verified against it."""
    allowed_origins: tuple[str, ...] = ()
    """Other sites that may embed the chat, such as ["https://blog.example"]; JSON."""
    site_secret: SecretStr | None = None
    """What a site that embeds the chat signs the ids of its users with, at least 32 characters; off without it."""
    database_url: str = "sqlite:///var/assistant.db"
    """SQLAlchemy URL of the store: SQLite or PostgreSQL."""
    data_dir: Path = Path("data")
    """The shop, the domain and the training data."""
    config_file: Path = Path("config.yml")
    """Rasa's pipeline and policies."""
    models_dir: Path = Path("models")
    """Trained models, each with its SHA-256."""
    state_dir: Path = Path("var")
    """What a running assistant keeps beside the database: the secret and the process id."""
    secret: SecretStr | None = None
    """Key for one-time codes, at least 32 characters; made and kept in `state_dir` when unset."""
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    """DEBUG, INFO, WARNING or ERROR."""
    metrics_token: SecretStr | None = None
    """Bearer token for /metrics; without one, only this machine may read them."""

    turn_deadline_seconds: float = Field(default=8.0, gt=0)
    """An answer that takes longer becomes an apology; Twilio gives up at 15 s."""
    turns_per_minute: int = Field(default=30, ge=1)
    """More turns than this from one address in a minute are answered with a polite limit."""
    idle_minutes: dict[str, PositiveInt] = {
        "web": 48 * 60,
        "sms": 7 * 24 * 60,
        "voice": 60,
        "terminal": 24 * 60,
    }
    """How long a conversation waits for the person, by the channel that they used last; JSON. An hour for others."""
    hold_minutes: int = Field(default=30, ge=1)
    """How long a conversation waits for staff before the assistant takes it back."""
    screen_minutes: int = Field(default=30, ge=1)
    """How long a screen follows a conversation in which nothing happens."""
    retention_days: PositiveInt | None = None
    """`assistant people retention` forgets customers who said nothing for so long; off when unset."""

    twilio_account_sid: str | None = None
    """Twilio account; SMS is off without it."""
    twilio_auth_token: SecretStr | None = None
    """Signs Twilio's webhooks and our REST calls."""
    twilio_number: str | None = None
    """Our own number in E.164."""
    twilio_api_url: str = "https://api.twilio.com"
    """Base address of Twilio's REST interface."""

    oidc_issuer: str | None = None
    """OpenID Connect provider that employees sign in with, as it writes its own name; off without it."""
    oidc_client_id: str | None = None
    """What the provider calls us."""
    oidc_client_secret: SecretStr | None = None
    """What we prove ourselves to the provider with; none for a public client."""
    oidc_employee_claim: str | None = None
    """Claim of the ID token that makes somebody an employee, as name=value; unset, everybody who signs in is one."""

    oauth_client_id: str | None = None
    """Who may link accounts with us, such as an Alexa skill; off without it."""
    oauth_client_secret: SecretStr | None = None
    """What they prove themselves with, at least 32 characters."""
    oauth_redirect_uris: tuple[str, ...] = ()
    """Where people may be sent back to, to the letter; JSON."""

    @classmethod
    def load(cls) -> Self:
        """Read the environment and `.env`. Raises `SettingsError` with one line for each fault."""
        try:
            return cls()
        except ValidationError as error:
            faults = (
                ": ".join([*(f"ASSISTANT_{str(name).upper()}" for name in fault["loc"][:1]), fault["msg"]])
                for fault in error.errors(include_input=False, include_url=False)
            )
            raise SettingsError("\n".join(faults)) from None

    @field_validator("public_url")
    @classmethod
    def _public_url_is_an_origin(cls, value: str | None) -> str | None:
        if not value:
            return None
        parts = urlsplit(value)
        if (
            parts.scheme not in ("http", "https")
            or not parts.hostname
            or parts.username
            or parts.query
            or parts.fragment
        ):
            raise ValueError("must look like https://shop.example, without user, query or fragment")
        return value.rstrip("/")

    @field_validator("database_url")
    @classmethod
    def _database_is_one_we_know(cls, value: str) -> str:
        if not value.startswith(("sqlite:///", "postgresql://", "postgres://")):
            raise ValueError("must begin with sqlite:/// or postgresql://")
        return value

    @field_validator("twilio_api_url")
    @classmethod
    def _twilio_token_is_not_sent_in_clear(cls, value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme != "https" and parts.hostname not in LOOPBACK_HOSTS:
            raise ValueError("must begin with https://: the token travels there")
        return value

    @field_validator("twilio_number")
    @classmethod
    def _twilio_number_is_e164(cls, value: str | None) -> str | None:
        if value is not None and not re.fullmatch(r"\+[1-9][0-9]{6,14}", value):
            raise ValueError("must be written like +447700900123")
        return value

    @field_validator("metrics_token")
    @classmethod
    def _metrics_token_is_long(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and len(value.get_secret_value()) < 16:
            raise ValueError("must have at least 16 characters")
        return value

    @field_validator("site_secret")
    @classmethod
    def _site_secret_is_long(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and len(value.get_secret_value()) < 32:
            raise ValueError("must have at least 32 characters")
        return value

    @field_validator("secret")
    @classmethod
    def _secret_is_long(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and len(value.get_secret_value()) < 32:
            raise ValueError("must have at least 32 characters; unset it to have one made")
        return value

    @model_validator(mode="after")
    def _twilio_is_whole(self) -> Self:
        given = [self.twilio_account_sid, self.twilio_auth_token, self.twilio_number]
        if any(given) and not all(given):
            raise ValueError("Twilio needs all of ASSISTANT_TWILIO_ACCOUNT_SID, _AUTH_TOKEN and _NUMBER, or none")
        if all(given) and self.public_url is None:
            raise ValueError("Twilio needs ASSISTANT_PUBLIC_URL: its signatures are made over the public address")
        return self

    @field_validator("oidc_issuer")
    @classmethod
    def _issuer_is_safe(cls, value: str | None) -> str | None:
        if value and (not is_safe_url(value) or urlsplit(value).query):
            raise ValueError("must be an https address, to the letter as the provider's discovery document has it")
        return value or None

    @field_validator("oidc_employee_claim")
    @classmethod
    def _employee_claim_is_a_pair(cls, value: str | None) -> str | None:
        if value and not all(value.partition("=")):
            raise ValueError("must look like groups=staff")
        return value or None

    @field_validator("oauth_redirect_uris")
    @classmethod
    def _redirect_uris_are_safe(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not all(is_safe_url(uri) for uri in value):
            raise ValueError("must be https addresses without fragments")
        return value

    @model_validator(mode="after")
    def _sign_in_is_whole(self) -> Self:
        if bool(self.oidc_issuer) != bool(self.oidc_client_id):
            raise ValueError("signing in needs both of ASSISTANT_OIDC_ISSUER and _CLIENT_ID, or none")
        linking = [self.oauth_client_id, self.oauth_client_secret, self.oauth_redirect_uris]
        if any(linking) and not all(linking):
            raise ValueError(
                "linking accounts needs all of ASSISTANT_OAUTH_CLIENT_ID, _CLIENT_SECRET and _REDIRECT_URIS, or none"
            )
        if self.oauth_client_secret and len(self.oauth_client_secret.get_secret_value()) < 32:
            raise ValueError("ASSISTANT_OAUTH_CLIENT_SECRET must have at least 32 characters")
        if (self.oidc_issuer or any(linking)) and not is_safe_url(self.public_url or ""):
            raise ValueError("signing in and linking accounts need ASSISTANT_PUBLIC_URL, with https")
        return self

    @property
    def texting(self) -> bool:
        """Whether SMS can be received and sent."""
        return self.twilio_account_sid is not None

    @property
    def secure_cookies(self) -> bool:
        """Whether the public address is https, so that cookies may demand it."""
        return (self.public_url or "").startswith("https://")


def is_safe_url(url: str) -> bool:
    """Whether secrets may travel there: https, or this machine."""
    parts = urlsplit(url)
    safe = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK_HOSTS)
    return safe and bool(parts.hostname) and not parts.fragment and not parts.username


def quiet_libraries() -> None:
    """Keep the libraries off stderr; to be called before they are imported."""
    os.environ.setdefault("LOG_LEVEL", "WARNING")  # the progress bars of Rasa's training, and nothing else
    os.environ.setdefault("SQLALCHEMY_SILENCE_UBER_WARNING", "1")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
