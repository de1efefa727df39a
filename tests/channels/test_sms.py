"""The webhook of Twilio Messaging, what it answers, and what is sent through Twilio's REST interface."""

import asyncio
import json
import string
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlencode
from xml.etree import ElementTree

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from hypothesis import given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from assistant.errors import AssistantError, DeliveryFailed, MalformedPayload, StoreUnavailable
from assistant.turns import Address, Assurance, Card, Choice, Message, Modality, Reply, Turn, TurnKind
from channels.sms import (
    MAX_FORM_BYTES,
    PATH,
    UNREADABLE,
    Form,
    SmsChannel,
    has_unreadable_parts,
    read_keyword,
    read_turn,
    render,
)
from channels.sms.texts import (
    GSM_BASIC,
    GSM_EXTENSION,
    MAX_BODY_CHARACTERS,
    SHORT_BODY_CHARACTERS,
    STOP_WORDS,
    plain,
    segments,
    texts,
)
from tests.channels.scripted import ScriptedAssistant
from tests.channels.twilio_api import ACCOUNT_SID, AUTH_TOKEN, HANG, OUR_NUMBER, Refusal, TwilioApi, sign

FIXTURES = sorted((Path(__file__).parent / "fixtures" / "sms").glob("*.json"))
PUBLIC_URL = "https://shop.example"
WEBHOOK = PUBLIC_URL + PATH
NOON = datetime(2025, 5, 1, 12, tzinfo=UTC)
ANA = Address("phone", "+447700900123")

Fields = tuple[tuple[str, str], ...]


def form_of(fixture: str) -> Fields:
    path = Path(__file__).parent / "fixtures" / "sms" / f"{fixture}.json"
    return tuple(json.loads(path.read_text(encoding="utf-8"))["form"].items())


def changed(fields: Fields, **values: str) -> Fields:
    return tuple({**dict(fields), **values}.items())


def without(fields: Fields, name: str) -> Fields:
    return tuple(field for field in fields if field[0] != name)


TEXT = form_of("text_from_the_uk")


def hello(_turn: Turn) -> tuple[Message, ...]:
    return (Message("Hello!"),)


def scripted(*failures: AssistantError) -> ScriptedAssistant:
    assistant = ScriptedAssistant(otherwise=hello)
    assistant.failures += failures
    return assistant


class HeldByStaff(ScriptedAssistant):
    """A colleague has the conversation: the assistant itself says nothing."""

    async def converse(self, turn: Turn) -> Reply:
        return Reply((), handed_off=True)


class RememberedOptOuts:
    """Opt-outs in memory; `error` is what the store fails with."""

    def __init__(self, *out: Address, error: Exception | None = None) -> None:
        self.out = set(out)
        self.error = error

    async def opt_out(self, address: Address) -> None:
        self.out.add(address)

    async def opt_in(self, address: Address) -> None:
        self.out.discard(address)

    async def is_out(self, address: Address) -> bool:
        if self.error:
            raise self.error
        return address in self.out


@dataclass(frozen=True)
class Answer:
    status: int
    content_type: str
    body: str

    @property
    def texts(self) -> list[str]:
        return [message.text or "" for message in ElementTree.fromstring(self.body)]  # noqa: S314  # our own TwiML


class Webhook:
    """The webhook as Twilio meets it: over HTTP, signed unless told otherwise."""

    def __init__(self, assistant: ScriptedAssistant, opt_outs: RememberedOptOuts) -> None:
        self.assistant = assistant
        self.opt_outs = opt_outs
        app = FastAPI()
        app.include_router(channel(opt_outs=opt_outs).router(assistant))
        self._client = TestClient(app, base_url="http://10.0.0.7:8000")

    def post(self, fields: Fields, *, signature: str | None = None, **headers: str) -> Answer:
        signature = sign(WEBHOOK, fields) if signature is None else signature
        return self.post_raw(urlencode(fields).encode(), **{"X-Twilio-Signature": signature, **headers})

    def post_raw(self, body: bytes, **headers: str) -> Answer:
        headers = {"Content-Type": "application/x-www-form-urlencoded", **headers}
        raw = {name.encode(): value.encode("latin-1") for name, value in headers.items()}
        answer = self._client.post(PATH, content=body, headers=raw)
        return Answer(answer.status_code, answer.headers.get("Content-Type", ""), answer.text)


def channel(
    api_url: str = "http://127.0.0.1:9", opt_outs: RememberedOptOuts | None = None, timeout_seconds: float = 5.0
) -> SmsChannel:
    return SmsChannel(
        opt_outs or RememberedOptOuts(),
        public_url=PUBLIC_URL,
        account_sid=ACCOUNT_SID,
        auth_token=AUTH_TOKEN,
        number=OUR_NUMBER,
        api_url=api_url,
        timeout_seconds=timeout_seconds,
    )


@pytest.fixture
def webhook() -> Webhook:
    return Webhook(scripted(), RememberedOptOuts())


@pytest.fixture
def twilio() -> Iterator[TwilioApi]:
    with TwilioApi() as api:
        yield api


def saying(*paragraphs: str, choices: Iterable[str] = ()) -> Reply:
    *first, last = paragraphs
    return Reply(
        (*(Message(text) for text in first), Message(last, choices=tuple(Choice(title, "/x") for title in choices)))
    )


# What comes in


@pytest.mark.parametrize("path", FIXTURES, ids=lambda path: path.stem)
def test_what_twilio_sends_is_read(path: Path) -> None:
    case = json.loads(path.read_text(encoding="utf-8"))
    form = Form.parse(urlencode(case["form"]).encode())
    turn = read_turn(form, NOON)
    assert {
        "address": str(turn.address),
        "turn_id": turn.turn_id,
        "text": turn.text,
        "keyword": read_keyword(form),
        "unreadable": has_unreadable_parts(form),
    } == case["reads_as"]


def test_a_text_is_a_claimed_turn_in_text() -> None:
    turn = read_turn(Form.parse(urlencode(TEXT).encode()), NOON)
    assert (turn.channel, turn.kind, turn.modality, turn.assurance, turn.received_at) == (
        "sms",
        TurnKind.SAID,
        Modality.TEXT,
        Assurance.CLAIMED,
        NOON,
    )


@pytest.mark.parametrize(
    "fields",
    [
        without(TEXT, "From"),
        without(TEXT, "MessageSid"),
        changed(TEXT, From=""),
        changed(TEXT, From="447700900123"),
        changed(TEXT, From="+44 7700 900123"),
        changed(TEXT, From="Vodafone"),
        changed(TEXT, From="whatsapp:"),
        changed(TEXT, From="+٤٤٧٧٠٠٩٠٠١٢٣"),
        changed(TEXT, From="+447700900123\n"),
        changed(TEXT, MessageSid=""),
        changed(TEXT, MessageSid="SM1\nfake=line"),
        changed(TEXT, MessageSid="S" * 65),
        (*TEXT, ("From", "+447700900124")),
        (*TEXT, ("Body", "another")),
        (*TEXT, ("NumMedia", "1")),
        (*TEXT, ("OptOutType", "STOP"), ("OptOutType", "START")),
        (),
    ],
)
def test_a_signed_form_that_cannot_be_read_is_400_and_asks_nobody(fields: Fields, webhook: Webhook) -> None:
    with capture_logs() as logs:
        answer = webhook.post(fields)
    assert answer.status == 400
    assert [(entry["event"], "77009" in str(entry)) for entry in logs] == [("sms_malformed", False)]
    assert webhook.assistant.turns == []


def test_a_form_that_is_too_large_is_400(webhook: Webhook) -> None:
    assert webhook.post((*TEXT, ("Extra", "x" * MAX_FORM_BYTES))).status == 400


def test_a_form_of_thousands_of_fields_is_400(webhook: Webhook) -> None:
    fields = (*TEXT, *((f"f{number}", "") for number in range(5_000)))
    assert len(urlencode(fields)) < MAX_FORM_BYTES
    assert webhook.post(fields).status == 400


# Who may come in


def test_a_signed_text_is_answered_in_twiml(webhook: Webhook) -> None:
    answer = webhook.post(TEXT)
    assert (answer.status, answer.content_type.partition(";")[0], answer.texts) == (200, "text/xml", ["Hello!"])
    assert [turn.text for turn in webhook.assistant.turns] == [dict(TEXT)["Body"]]


def test_the_signature_is_twilios_own_example() -> None:
    fields = (
        ("CallSid", "CA1234567890ABCDE"),
        ("Caller", "+14158675309"),
        ("Digits", "1234"),
        ("From", "+14158675309"),
        ("To", "+18005551212"),
    )
    assert sign("https://mycompany.com/myapp.php?foo=1&bar=2", fields, "12345") == "RSOYDt4T1cUTdK1PDd93/VVr8B8="


@pytest.mark.parametrize(
    "added",
    [
        (("Unheard", "of"),),
        (("Blank", ""),),
        (("Twice", "b"), ("Twice", "a"), ("Twice", "a")),
        (("Spaces", "  a  "), ("Signs", "a+b&c=d%e;f")),
        (("ÜñÏ", "💐"),),
    ],
    ids=["unknown", "blank", "repeated", "spaces and signs", "not ASCII"],
)
def test_parameters_twilio_adds_are_part_of_the_signature(added: Fields, webhook: Webhook) -> None:
    assert webhook.post((*TEXT, *added)).status == 200
    assert webhook.post((*TEXT, *added), signature=sign(WEBHOOK, TEXT)).status == 403


def test_no_signature_is_403(webhook: Webhook) -> None:
    assert webhook.post_raw(urlencode(TEXT).encode()).status == 403
    assert webhook.post(TEXT, signature="").status == 403
    assert webhook.assistant.turns == []


@pytest.mark.parametrize("byte", range(28))
def test_a_signature_with_one_byte_flipped_is_403(byte: int, webhook: Webhook) -> None:
    right = sign(WEBHOOK, TEXT)
    assert len(right) == 28
    wrong = right[:byte] + ("A" if right[byte] != "A" else "B") + right[byte + 1 :]
    with capture_logs() as logs:
        assert webhook.post(TEXT, signature=wrong).status == 403
    assert [entry["event"] for entry in logs] == ["sms_refused"]
    assert webhook.assistant.turns == []


@pytest.mark.parametrize(
    "signature",
    [
        sign(WEBHOOK, TEXT, token="another-tenants-token"),
        sign("https://evil.example" + PATH, TEXT),
        sign("http://10.0.0.7:8000" + PATH, TEXT),
        sign(WEBHOOK, changed(TEXT, Body="something else")),
        sign(WEBHOOK, ()),
        sign(WEBHOOK, TEXT) + "=",
        "é" * 28,
        "x" * 10_000,
    ],
    ids=["other token", "other site", "our inner address", "other text", "no form", "longer", "not ASCII", "huge"],
)
def test_a_signature_over_something_else_is_403(signature: str, webhook: Webhook) -> None:
    assert webhook.post(TEXT, signature=signature).status == 403
    assert webhook.assistant.turns == []


def test_headers_of_the_sender_do_not_move_our_address(webhook: Webhook) -> None:
    forged = {"Host": "evil.example", "X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https"}
    assert webhook.post(TEXT, signature=sign("https://evil.example" + PATH, TEXT), **forged).status == 403
    assert webhook.post(TEXT, **forged).status == 200


def test_a_json_body_with_its_hash_in_the_query_is_403(webhook: Webhook) -> None:
    assert webhook.post_raw(b"{}", **{"X-Twilio-Signature": sign(WEBHOOK, ()), "Content-Type": "a/json"}).status == 403


ODD_VALUES = st.one_of(
    st.text(),
    st.sampled_from(["", "\0", "\u202eabc", "💐" * 800, "STOP", "x" * 20_000, "+447700900123", "whatsapp:+1", "SM1"]),
)


@given(
    missing=st.sets(st.sampled_from([name for name, _ in TEXT]), max_size=2),
    odd=st.dictionaries(st.sampled_from(["Body", "From", "MessageSid", "NumMedia", "OptOutType"]), ODD_VALUES),
    extra=st.lists(st.tuples(st.one_of(st.text(), st.sampled_from(["Body", "To"])), ODD_VALUES), max_size=5),
)
@settings(deadline=None)
def test_whatever_is_signed_is_answered_or_refused(
    missing: set[str], odd: dict[str, str], extra: list[tuple[str, str]]
) -> None:
    assistant = scripted()
    kept = tuple(field for field in changed(TEXT, **odd) if field[0] not in missing)
    answer = Webhook(assistant, RememberedOptOuts()).post((*kept, *extra))
    assert answer.status in (200, 400)
    assert answer.status == 200 or assistant.turns == []


@given(body=st.binary(max_size=400))
@settings(deadline=None)
def test_bytes_that_are_no_form_never_break_it(body: bytes) -> None:
    assistant = scripted()
    answer = Webhook(assistant, RememberedOptOuts()).post_raw(body, **{"X-Twilio-Signature": sign(WEBHOOK, ())})
    assert answer.status in (400, 403)
    assert assistant.turns == []


@given(text=st.text(alphabet=st.characters(exclude_categories=["Cs"])))
@settings(deadline=None)
def test_any_text_arrives_as_it_was_said(text: str) -> None:
    assistant = scripted()
    answer = Webhook(assistant, RememberedOptOuts()).post(changed(form_of("whatsapp_text"), Body=f"say {text}"))
    assert answer.status == 200
    assert [turn.text for turn in assistant.turns] == [f"say {text}"]


def test_a_store_that_is_down_asks_twilio_to_try_again() -> None:
    down = StoreUnavailable("no database")
    assert Webhook(scripted(down), RememberedOptOuts()).post(TEXT).status == 503
    assert Webhook(scripted(), RememberedOptOuts(error=down)).post(TEXT).status == 503


# Words for the carrier


@pytest.mark.parametrize("word", [*sorted(STOP_WORDS), "STOP", " Stop\n"])
def test_a_stop_word_opts_out_in_silence(word: str, webhook: Webhook) -> None:
    answer = webhook.post(changed(TEXT, Body=word))
    assert (answer.status, answer.texts, webhook.assistant.turns) == (200, [], [])
    assert webhook.opt_outs.out == {ANA}


@pytest.mark.parametrize("words", ["please stop", "cancel my order", "stop it", "the end", "stopp"])
def test_a_stop_word_among_others_is_an_ordinary_turn(words: str, webhook: Webhook) -> None:
    assert webhook.post(changed(TEXT, Body=words)).texts == ["Hello!"]
    assert webhook.opt_outs.out == set()


def test_on_whatsapp_cancel_is_about_the_order_and_stop_is_not(webhook: Webhook) -> None:
    assert webhook.post(form_of("whatsapp_cancel")).texts == ["Hello!"]
    assert webhook.post(form_of("whatsapp_stop")).texts == []
    assert webhook.opt_outs.out == {Address("whatsapp", "+34600111222")}


def test_a_word_twilio_recognised_counts_as_the_shop_set_it(webhook: Webhook) -> None:
    assert webhook.post(form_of("stop_in_the_shops_own_word")).texts == []
    assert webhook.opt_outs.out == {ANA}


def test_who_is_opted_out_is_not_answered_and_changes_nothing() -> None:
    webhook = Webhook(scripted(), RememberedOptOuts(ANA))
    assert webhook.post(TEXT).texts == []
    assert (webhook.assistant.turns, webhook.opt_outs.out) == ([], {ANA})


@pytest.mark.parametrize("word", ["START", "start", "Unstop", "yes", " YES "])
def test_who_is_opted_out_comes_back_with_a_word(word: str) -> None:
    webhook = Webhook(scripted(), RememberedOptOuts(ANA))
    assert webhook.post(changed(TEXT, Body=word)).texts == []
    assert (webhook.assistant.turns, webhook.opt_outs.out) == ([], set())
    assert webhook.post(TEXT).texts == ["Hello!"]


@pytest.mark.parametrize("word", ["START", "yes"])
def test_words_of_return_are_ordinary_from_who_never_left(word: str, webhook: Webhook) -> None:
    assert webhook.post(changed(TEXT, Body=word)).texts == ["Hello!"]
    assert [turn.text for turn in webhook.assistant.turns] == [word]


def test_help_is_answered_unless_twilio_has_the_shops_own_answer(webhook: Webhook) -> None:
    assert webhook.post(form_of("help")).texts == ["Hello!"]
    assert webhook.post(form_of("help_answered_by_twilio")).texts == []


def test_opting_out_by_text_says_nothing_about_whatsapp(webhook: Webhook) -> None:
    webhook.post(changed(form_of("stop"), From="+34600111222"))
    assert webhook.post(form_of("whatsapp_text")).texts == ["Hello!"]


# What goes out


@pytest.mark.parametrize("fixture", ["picture_without_words", "picture_with_words", "blank_text", "whatsapp_place"])
def test_who_sends_a_picture_is_told_that_only_words_are_read(fixture: str, webhook: Webhook) -> None:
    assert webhook.post(form_of(fixture)).texts == [f"{UNREADABLE}\nHello!"]
    assert [turn.text for turn in webhook.assistant.turns] == [dict(form_of(fixture))["Body"]]


def test_while_a_colleague_has_the_conversation_nothing_is_added() -> None:
    webhook = Webhook(HeldByStaff(), RememberedOptOuts())
    assert webhook.post(form_of("picture_without_words")).body.endswith("<Response />")


def test_choices_are_numbered_over_the_whole_reply() -> None:
    reply = Reply(
        (
            Message("Which one?", choices=(Choice("Rose garden", "/a"), Choice("Spring meadow", "/b"))),
            Message("Or else:", choices=(Choice("See more", "/c"),)),
        )
    )
    assert texts(reply) == ("Which one?\n1 Rose garden\n2 Spring meadow\nOr else:\n3 See more",)


@pytest.mark.parametrize("word", sorted(STOP_WORDS))
def test_a_choice_that_would_unsubscribe_is_asked_for_by_number(word: str) -> None:
    title = word.capitalize()
    assert texts(saying("Sure?", choices=("Go on", title))) == (f"Sure?\n1 Go on\n2 {title} (reply 2)",)


def test_a_card_is_dropped_and_the_text_stands_alone() -> None:
    card = Card("Spring meadow", "Tulips and daisies", "/art.svg", "tulips")
    assert texts(Reply((Message("Spring meadow, 35 pounds.", speech="Here it is", card=card),))) == (
        "Spring meadow, 35 pounds.",
    )


def test_markup_in_a_text_stays_text() -> None:
    twiml = render(saying("</Message><Redirect>http://evil.example</Redirect> & \0\x1b[31m"))
    (message,) = ElementTree.fromstring(twiml)  # noqa: S314  # our own TwiML
    assert (message.tag, message.text) == ("Message", "</Message><Redirect>http://evil.example</Redirect> & [31m")


def test_a_long_reply_goes_in_several_texts_and_tears_no_message() -> None:
    first, second = "a" * 200, "b" * 150
    assert texts(saying(first, second, choices=("One", "Two"))) == (first, f"{second}\n1 One\n2 Two")


def test_a_message_over_the_limit_is_cut_between_lines_or_words() -> None:
    lines = texts(saying("\n".join([("x" * 49 + " ") * 2 + "x" * 24] * 20)))
    words = texts(saying(" ".join(["y" * 99] * 20)))
    assert [len(text) for text in lines] == [12 * 125 - 1, 8 * 125 - 1]
    assert [len(text) for text in words] == [1_599, 399]
    assert [len(text) for text in texts(saying("z" * 2_000))] == [1_600, 400]


@given(paragraphs=st.lists(st.text(min_size=1, max_size=2_000), min_size=1, max_size=4))
@settings(deadline=None)
def test_no_text_is_over_twilios_limit_and_no_word_is_lost(paragraphs: list[str]) -> None:
    sent = texts(saying(*paragraphs))
    assert all(0 < len(text.encode("utf-16-le", "surrogatepass")) // 2 <= MAX_BODY_CHARACTERS for text in sent)
    ascii_only = {*string.ascii_letters, *string.digits}
    assert [char for char in "".join(sent) if char in ascii_only] == [
        char for char in "".join(paragraphs) if char in ascii_only
    ]
    ElementTree.fromstring(render(saying(*paragraphs)))  # noqa: S314  # our own TwiML


@given(paragraphs=st.lists(st.text("ab ", min_size=1, max_size=150), min_size=1, max_size=6))
def test_short_messages_share_a_text_up_to_the_advised_length(paragraphs: list[str]) -> None:
    sent = texts(saying(*paragraphs))
    assert all(len(text) <= SHORT_BODY_CHARACTERS for text in sent)
    assert all(len(one) + 1 + len(next_) > 150 for one, next_ in zip(sent, sent[1:], strict=False))


# Segments


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a", 1),
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("a" * 306, 2),
        ("a" * 307, 3),
        ("€" * 80, 1),
        ("€" * 81, 2),
        # 153 is odd: the escape and its character are not parted, so a part holds 76 of them.
        ("€" * 152, 2),
        ("€" * 153, 3),
        ("ç" * 70, 1),
        ("ç" * 71, 2),
        ("ç" * 134, 2),
        ("ç" * 135, 3),
        ("💐" * 35, 1),
        ("💐" * 36, 2),
        ("💐" * 66, 2),
        ("💐" * 67, 3),
        ("é" * 160, 1),
    ],
)
def test_segments_are_counted_as_they_are_paid(text: str, expected: int) -> None:
    assert segments(text) == expected


@given(st.text(alphabet=sorted(GSM_BASIC | GSM_EXTENSION), max_size=1_700))
def test_a_gsm_text_takes_no_more_than_its_characters_need(text: str) -> None:
    septets = len(text) + sum(char in GSM_EXTENSION for char in text)
    assert segments(text) == 1 if septets <= 160 else -(-septets // 153) <= segments(text) <= -(-septets // 152)


@given(st.text(max_size=400), st.characters())
def test_more_text_never_takes_fewer_segments_in_the_same_alphabet(text: str, more: str) -> None:
    assert segments(f"ç{text}") <= segments(f"ç{text}{more}")


@given(st.text(alphabet="ab ’“”–—…\u00a0\u202f€💐ç", max_size=400))
def test_plain_characters_are_used_only_where_they_save(text: str) -> None:
    assert plain(text) == text or segments(plain(text)) < segments(text)


def test_typographic_characters_are_replaced_where_they_double_the_price() -> None:
    long = "It’s “Spring meadow” — £35\u00a0with a card…" * 3
    assert plain(long) == 'It\'s "Spring meadow" - £35 with a card...' * 3
    assert (segments(long), segments(plain(long))) == (2, 1)
    assert plain("It’s on its way") == "It’s on its way"
    assert plain(long + "💐") == long + "💐"


def test_what_plain_dots_would_make_too_long_keeps_its_own() -> None:
    full = "a" * (MAX_BODY_CHARACTERS - 1) + "…"
    assert texts(saying(full)) == (full,)


# Speaking first


def test_a_push_is_one_call_with_our_number_and_theirs(twilio: TwilioApi) -> None:
    asyncio.run(channel(twilio.url).push(ANA, saying("Your code is 123456.", "b" * 400)))
    (sent,) = twilio.sent
    assert (sent.to, sent.sender, sent.body) == (ANA.value, OUR_NUMBER, "Your code is 123456.\n" + "b" * 400)


def test_a_push_to_whatsapp_goes_from_our_whatsapp(twilio: TwilioApi) -> None:
    asyncio.run(channel(twilio.url).push(Address("whatsapp", "+34600111222"), saying("Hola")))
    (sent,) = twilio.sent
    assert (sent.to, sent.sender) == ("whatsapp:+34600111222", f"whatsapp:{OUR_NUMBER}")


def test_only_what_is_over_the_limit_takes_several_calls(twilio: TwilioApi) -> None:
    asyncio.run(channel(twilio.url).push(ANA, saying("a" * 2_000)))
    assert [len(body) for body in twilio.texts_to(ANA.value)] == [1_600, 400]


@pytest.mark.parametrize(
    ("refusal", "final"),
    [
        (Refusal(400, 21610), True),
        (Refusal(400, 21617), True),
        (Refusal(400, 21211), True),
        (Refusal(400, 21614), True),
        (Refusal(403, 21408), True),
        (Refusal(404, 20404), True),
        (Refusal(401, 20003), False),
        (Refusal(429, 20429), False),
        (Refusal(429, 21611), False),
        (Refusal(400, 21611), False),
        (Refusal(500, 20500), False),
        (Refusal(503, 20503), False),
        (Refusal(302, 0), False),
    ],
    ids=lambda value: str(value),
)
def test_a_refusal_is_final_when_it_would_come_again(refusal: Refusal, final: bool, twilio: TwilioApi) -> None:
    twilio.script.append(refusal)
    with capture_logs() as logs, pytest.raises(DeliveryFailed) as failure:
        asyncio.run(channel(twilio.url).push(ANA, saying("Hello")))
    assert failure.value.final is final
    assert "77009" not in f"{failure.value}{failure.value.__cause__}{logs}"
    assert (twilio.requests, twilio.sent) == (1, [])


def test_twilio_that_does_not_answer_is_tried_again_later(twilio: TwilioApi) -> None:
    twilio.script.append(HANG)
    with pytest.raises(DeliveryFailed) as failure:
        asyncio.run(channel(twilio.url, timeout_seconds=0.2).push(ANA, saying("Hello")))
    assert not failure.value.final


def test_twilio_that_cannot_be_reached_is_tried_again_later() -> None:
    with TwilioApi() as gone:
        url = gone.url
    with pytest.raises(DeliveryFailed) as failure:
        asyncio.run(channel(url).push(ANA, saying("Hello")))
    assert not failure.value.final


def test_who_is_opted_out_gets_nothing(twilio: TwilioApi) -> None:
    with pytest.raises(DeliveryFailed) as failure:
        asyncio.run(channel(twilio.url, RememberedOptOuts(ANA)).push(ANA, saying("Hello")))
    assert (failure.value.final, twilio.requests) == (True, 0)


def test_an_address_without_texts_is_final(twilio: TwilioApi) -> None:
    with pytest.raises(DeliveryFailed) as failure:
        asyncio.run(channel(twilio.url).push(Address("web", "abc"), saying("Hello")))
    assert (failure.value.final, twilio.requests) == (True, 0)


def test_a_parameter_given_twice_names_itself_only() -> None:
    with pytest.raises(MalformedPayload, match=r"^Body is there 2 times$"):
        Form.parse(b"Body=secret&Body=words").one("Body")
