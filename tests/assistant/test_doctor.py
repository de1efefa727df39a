"""What the doctor sees in installations that are well, and in ones that are not."""

import base64
from pathlib import Path

import pytest
from pydantic import SecretStr

from assistant import doctor, training
from assistant.database import Database
from assistant.doctor import Finding
from assistant.running import listen
from assistant.settings import Settings
from tests.assistant.answering import Answer, answering

ACCOUNT = "AC00000000000000000000000000000000"
BOT = Path(__file__).parent / "bot"


def settings_in(folder: Path, **given: object) -> Settings:
    """Settings of an installation in an empty folder."""
    defaults: dict[str, object] = {
        "database_url": f"sqlite:///{folder}/assistant.db",
        "state_dir": folder,
        "models_dir": folder / "models",
        "data_dir": BOT / "data",
        "config_file": BOT / "config.yml",
        "port": 0,
    }
    return Settings.model_validate(defaults | given)


def twilio_settings(folder: Path, api_url: str) -> Settings:
    return settings_in(
        folder,
        public_url="https://shop.example",
        twilio_account_sid=ACCOUNT,
        twilio_auth_token=SecretStr("right"),
        twilio_number="+447700900100",
        twilio_api_url=api_url,
    )


def is_well(finding: Finding) -> bool:
    return finding.mend is None


def test_only_the_python_that_rasa_runs_on_is_right() -> None:
    assert is_well(doctor.python((3, 11)))
    assert doctor.python((3, 12)).mend is not None


def test_a_migrated_database_is_well(database: Database) -> None:
    url = database.engine.url.render_as_string(hide_password=False)
    settings = Settings.model_validate({"database_url": url.replace("+psycopg", "")})
    assert is_well(doctor.database(settings))


def test_a_database_before_its_first_start_is_said_and_not_made(tmp_path: Path) -> None:
    finding = doctor.database(settings_in(tmp_path))
    assert finding.mend is not None
    assert "assistant run" in finding.mend
    assert list(tmp_path.iterdir()) == []


def test_a_database_that_does_not_answer_is_said_without_its_password() -> None:
    finding = doctor.database(Settings(database_url="postgresql://shop:hunter2@127.0.0.1:1/shop"))
    assert finding.mend is not None
    assert "ASSISTANT_DATABASE_URL" in finding.mend
    assert "hunter2" not in finding.says


def test_a_missing_model_is_said(tmp_path: Path) -> None:
    finding = doctor.model(settings_in(tmp_path))
    assert "no model" in finding.says
    assert finding.mend == "`assistant train`"


def test_a_model_that_was_changed_is_said(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    path = training.model_path(settings)
    path.parent.mkdir()
    path.write_bytes(b"not what was trained")
    path.with_name(f"{path.name}.sha256").write_text(f"{'0' * 64}  {path.name}\n")
    assert "SHA-256 differs" in doctor.model(settings).says


def test_a_free_port_is_well(tmp_path: Path) -> None:
    assert is_well(doctor.port(settings_in(tmp_path)))


def test_a_port_that_is_ours_already_is_well(tmp_path: Path) -> None:
    with answering(lambda *_: (200, b"alive\n")) as url:
        finding = doctor.port(settings_in(tmp_path, port=int(url.rpartition(":")[2])))
    assert is_well(finding)
    assert "running" in finding.says


def test_a_port_that_somebody_else_has_is_said(tmp_path: Path) -> None:
    with answering(lambda *_: (404, b"")) as url:
        finding = doctor.port(settings_in(tmp_path, port=int(url.rpartition(":")[2])))
    assert finding.mend is not None
    assert "ASSISTANT_PORT" in finding.mend


def test_without_twilio_texting_is_off_and_that_is_well(tmp_path: Path) -> None:
    finding = doctor.twilio(settings_in(tmp_path))
    assert is_well(finding)
    assert "off" in finding.says


def test_with_twilio_the_webhook_to_give_it_is_said(tmp_path: Path) -> None:
    finding = doctor.twilio(twilio_settings(tmp_path, "https://api.twilio.com"))
    assert "https://shop.example/channels/sms#rc=3&rp=all" in finding.says


@pytest.mark.parametrize(
    ("given", "well"),
    [
        ({}, True),
        ({"host": "0.0.0.0"}, False),  # noqa: S104  # nothing listens
        ({"public_url": "https://shop.example"}, True),
        ({"public_url": "http://shop.example"}, False),
    ],
    ids=["this machine only", "open without an address", "https", "http"],
)
def test_a_public_address_is_safe_or_not_needed(tmp_path: Path, given: dict[str, object], well: bool) -> None:
    assert is_well(doctor.public_address(settings_in(tmp_path, **given))) == well


def test_twilio_is_asked_with_our_credentials(tmp_path: Path) -> None:
    right = "Basic " + base64.b64encode(f"{ACCOUNT}:right".encode()).decode()

    def account(path: str, authorization: str) -> Answer:
        return (200 if path == f"/2010-04-01/Accounts/{ACCOUNT}.json" and authorization == right else 401), b"{}"

    with answering(account) as url:
        assert is_well(doctor.twilio_answers(twilio_settings(tmp_path, url)))


def test_credentials_that_twilio_refuses_are_said(tmp_path: Path) -> None:
    with answering(lambda *_: (401, b"{}")) as url:
        finding = doctor.twilio_answers(twilio_settings(tmp_path, url))
    assert "401" in finding.says
    assert finding.mend is not None


def test_a_twilio_that_does_not_answer_is_said(tmp_path: Path) -> None:
    with listen("127.0.0.1", 0) as free:
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    assert "does not answer" in doctor.twilio_answers(twilio_settings(tmp_path, url)).says


@pytest.mark.parametrize(("status", "well"), [(200, True), (404, False), (502, False)])
def test_a_public_address_leads_here_or_not(status: int, well: bool) -> None:
    with answering(lambda path, _: (status if path == "/health/live" else 404, b"")) as url:
        assert is_well(doctor.public_address_answers(url)) == well


def test_the_outside_is_asked_only_on_request(tmp_path: Path) -> None:
    asked: list[str] = []

    def note(path: str, _authorization: str) -> Answer:
        asked.append(path)
        return 200, b"{}"

    with answering(note) as url:
        settings = twilio_settings(tmp_path, url).model_copy(update={"public_url": url})
        list(doctor.examine(settings, online=False))
        assert asked == []
        list(doctor.examine(settings, online=True))
        assert asked == [f"/2010-04-01/Accounts/{ACCOUNT}.json", "/health/live"]
