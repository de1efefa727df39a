import asyncio
import json
import sqlite3
import statistics
import sys
import tomllib
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.database import Database
from assistant.settings import Settings
from assistant.training import model_path
from assistant.turns import Choice, Message, Reply
from benchmarks.dialogue import SCRIPT, AnswersDiffer, Expected, settled
from benchmarks.figures import NOT_REACHED, PEOPLE, Figures, Load, goals, percentile, rows, turn_medians
from benchmarks.material import plain_variants
from benchmarks.people import Exchange, first_answer, newcomer, talk_long
from benchmarks.processes import Server
from benchmarks.sides import AUTH_TOKEN, StockRasa, ThisAssistant
from benchmarks.stock import ROOT, project
from channels.sms import Form, SmsChannel, render

LATENCIES = st.lists(st.floats(min_value=0, max_value=60), min_size=1)


@given(LATENCIES, st.floats(min_value=1, max_value=100))
def test_percentile_is_a_value_that_so_many_percent_do_not_exceed(values: list[float], percent: float) -> None:
    value = percentile(values, percent)

    assert value in values
    assert sum(other <= value for other in values) >= len(values) * percent / 100
    assert sum(other < value for other in values) < len(values) * percent / 100


def test_percentile_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="nothing"):
        percentile([], 50)


def test_a_turn_of_one_conversation_is_the_median_of_one_pass_from_it_on() -> None:
    assert turn_medians([9, 1, 2, 3, 9, 9], (2, 5), span=3) == {2: 2}


def test_rows_say_how_many_times_better_whether_less_or_more_is_better() -> None:
    stock, ours = figures(latency=0.1, cpu=0.05, late=0.9), figures(latency=0.02, cpu=0.01, late=0.02)

    table = {row.label: (row.stock, row.ours, row.ratio) for row in rows(stock, ours)}

    assert table["1 person: p50"] == ("100.0 ms", "20.0 ms", "5.0")
    assert table["16 people: turns per second"] == ("160", "800", "5.0")
    assert table["16 people: CPU per turn"] == ("50.0 ms", "10.0 ms", "5.0")
    assert table["turn 1,000 of one conversation"] == ("900.0 ms", "20.0 ms", "45.0")
    assert table["memory"] == ("100 MB", "100 MB", "1.0")


def test_a_turn_that_stock_rasa_did_not_come_to_has_no_ratio() -> None:
    stock, ours = figures(), figures()
    del stock.at_turn[1000]

    table = {row.label: (row.stock, row.ratio) for row in rows(stock, ours)}

    assert table["turn 1,000 of one conversation"] == (NOT_REACHED, "")


@pytest.mark.parametrize(
    ("latency", "late", "met"),
    [(0.05, 0.065, [True, True, True]), (0.051, 0.05, [False, False, True]), (0.05, 0.066, [True, True, False])],
)
def test_goals_are_met_up_to_their_bound(latency: float, late: float, met: list[bool]) -> None:
    stock, ours = figures(latency=0.1), figures(latency=latency, early=0.05, late=late)

    assert [goal.is_met for goal in goals(stock, ours)] == met


def test_a_run_without_a_late_turn_says_nothing_about_growth() -> None:
    stock, ours = figures(), figures()
    del ours.at_turn[1000]

    assert len(goals(stock, ours)) == 2


def test_rounds_add_up() -> None:
    load = Load()
    load.add([0.1, 0.3], seconds=1.0, cpu_seconds=0.2)
    load.add([0.2, 0.4], seconds=3.0, cpu_seconds=0.6)

    assert (load.turns_per_second, load.latency(50)) == (1.0, 0.2)
    assert load.cpu_per_turn == pytest.approx(0.2)


def test_a_response_keeps_the_one_wording_that_is_read() -> None:
    variants = [{"channel": "voice", "text": "Hi"}, {"text": "At {shop_name}"}, {"text": "Here"}]

    assert plain_variants(variants, "Fiore") == [{"text": "At Fiore"}]


def test_a_wording_for_text_channels_comes_before_the_general_one() -> None:
    variants: list[dict[str, Any]] = [
        {"text": "Look"},
        {"channel": "text", "text": "Read", "custom": {"card": {"title": "{shop_name}"}}},
    ]

    assert plain_variants(variants, "Fiore") == [{"text": "Read", "custom": {"card": {"title": "Fiore"}}}]


def test_wordings_with_a_condition_stay() -> None:
    conditional: dict[str, Any] = {"text": "Again", "condition": [{"type": "slot", "name": "known", "value": True}]}

    assert plain_variants([{"text": "First"}, conditional], "Fiore") == [conditional, {"text": "First"}]


def test_stock_rasa_is_installed_as_our_lock_says_but_for_its_store() -> None:
    ours = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    lock = tomllib.loads((ROOT / "uv.lock").read_text(encoding="utf-8"))

    made = tomllib.loads(project(ours, lock))

    uv = made["tool"]["uv"]
    assert made["project"]["dependencies"] == ["rasa==3.6.21"]
    assert [requirement for requirement in uv["override-dependencies"] if "sqlalchemy" in requirement] == [
        "sqlalchemy<2"
    ]
    assert not [requirement for requirement in uv["constraint-dependencies"] if "sqlalchemy" in requirement]
    assert uv["dependency-metadata"] == ours["tool"]["uv"]["dependency-metadata"]


def test_stock_rasa_keeps_its_tracker_where_it_is_told(tmp_path: Path, database: Database) -> None:
    StockRasa(tmp_path, tmp_path / "rasa", tmp_path / "model", Settings(), ("postgresql://host/tracker", database.url))

    endpoints = json.loads((tmp_path / "endpoints.yml").read_text(encoding="utf-8"))
    # Rasa hands `url` on as the store's host, and takes no `host` beside it.
    assert endpoints["tracker_store"] == {"type": "SQL", "url": "postgresql://host/tracker"}


def test_stock_rasas_file_is_made_in_our_journal_mode(stock: StockRasa, tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "tracker.db")) as connection:
        mode = connection.execute("PRAGMA journal_mode").fetchone()
        synchronous = connection.execute("PRAGMA synchronous").fetchone()

    assert (mode, synchronous) == (("wal",), (2,))  # 2 is FULL, as Rasa's own connections have it


def test_both_sides_read_the_same_texts_from_the_same_answer(ours: ThisAssistant, stock: StockRasa) -> None:
    reply = Reply((Message("Which <one>?", choices=(Choice("This & that", "/choose"),)), Message("“Say”.")))
    rest = [
        {
            "recipient_id": "+15550000001",
            "text": "Which <one>?",
            "buttons": [{"title": "This & that"}],
        },
        {"recipient_id": "+15550000001", "text": "“Say”."},
        {"recipient_id": "+15550000001", "custom": {"card": {}}},
    ]

    assert ours.texts(render(reply).encode()) == stock.texts(json.dumps(rest).encode())


def test_what_is_posted_to_us_is_signed_as_our_channel_checks_it(ours: ThisAssistant) -> None:
    request = ours.request("+15550000001", "hello")

    assert Form.parse(request.body).one("Body") == "hello"
    assert SmsChannel.name in request.url
    assert AUTH_TOKEN not in str(request)


def test_what_is_drawn_at_random_is_no_difference() -> None:
    assert settled(["Order F-4821, code A7K2Q."]) == settled(["Order F-10234, code B8L3R."])
    assert settled(["£55.00 on 24 MAY"]) == ("£55.00 on 24 MAY",)


@pytest.mark.parametrize("second", ["Goodbye.", ""])
def test_another_answer_or_none_to_the_same_line_is_a_difference(ours: ThisAssistant, second: str) -> None:
    expected = Expected()
    expected.check(ours, [Exchange("hello", b"<Message>Hello.</Message>", 0.1)])

    with pytest.raises(AnswersDiffer, match="Goodbye|\\(\\)"):
        expected.check(ours, [Exchange("hello", f"<Message>{second}</Message>".encode() if second else b"", 0.1)])


def test_nobody_comes_twice() -> None:
    assert newcomer() != newcomer()


def test_a_server_is_measured_and_ended(tmp_path: Path) -> None:
    server = Server([sys.executable, "-c", "import time; time.sleep(60)"], tmp_path / "log", {})

    assert server.is_running
    assert server.resident_bytes() > 0
    assert server.cpu_seconds() >= 0
    server.stop()
    assert not server.is_running


def test_our_side_answers_the_whole_script(ours: ThisAssistant) -> None:
    async def talk() -> list[Exchange]:
        await first_answer(ours, SCRIPT[0])
        return await talk_long(ours, SCRIPT, len(SCRIPT), 60.0, lambda: None)

    if not model_path(Settings()).exists():
        pytest.skip("there is no model for this data; `assistant train` makes it")
    try:
        exchanges = asyncio.run(talk())
    finally:
        ours.stop()

    assert "£59.95" in ours.texts(exchanges[SCRIPT.index("yes")].answer)[0]
    assert all(ours.texts(exchange.answer) for exchange in exchanges)
    assert statistics.median(exchange.seconds for exchange in exchanges) > 0


@pytest.fixture
def ours(tmp_path: Path) -> ThisAssistant:
    settings = Settings(data_dir=ROOT / "data", config_file=ROOT / "config.yml", models_dir=ROOT / "models")
    return ThisAssistant(tmp_path, settings, None)


@pytest.fixture
def stock(tmp_path: Path) -> StockRasa:
    return StockRasa(tmp_path, tmp_path / "rasa", tmp_path / "model.tar.gz", Settings(), None)


def figures(
    latency: float = 0.1, cpu: float = 0.05, early: float = 0.1, late: float = 0.1, size: int = 100 * 2**20
) -> Figures:
    loads = {people: Load([latency] * 100, latency * 100 / people, cpu * 100) for people in PEOPLE}
    return Figures(loads, {10: early, 1000: late}, [2.0, 4.0, 3.0], size)
