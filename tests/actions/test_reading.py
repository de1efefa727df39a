"""What people say, read."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actions import reading
from assistant.numbers import new_share_code
from assistant.shop import Shop
from assistant.turns import Address

SHOP = Shop.load(Path("data/shop.yml"))


@pytest.mark.parametrize(
    ("said", "ids"),
    [
        ("spring meadow", ["spring-meadow"]),
        ("spring-meadow", ["spring-meadow"]),
        ("wild bery please", ["wild-berry"]),
        ("the lavender one", ["lavender-dream"]),
        ("sunflowers", ["sunny-side"]),
        ("a tulip", ["spring-meadow"]),
        ("white lilies", ["white-peace"]),
        ("something red", ["rose-garden", "wild-berry"]),
        ("a bouquet for my mum", []),
        ("hello", []),
        ("", []),
    ],
)
def test_a_bouquet_is_known_by_name_colour_or_flower(said: str, ids: list[str]) -> None:
    assert [bouquet.id for bouquet in reading.bouquets(said, SHOP)] == ids


def test_in_passing_only_the_name_of_a_bouquet_counts() -> None:
    assert reading.bouquets("with roses", SHOP, by_name=True) == ()
    assert [found.id for found in reading.bouquets("a rose garden to N1", SHOP, by_name=True)] == ["rose-garden"]


@pytest.mark.parametrize(
    "said",
    [
        "07700 900123",
        "+44 7700 900123",
        "0044 7700 900123",
        "call me on 07700 900 123 tomorrow",
        "my number is 07700900123",
        "oh seven seven double oh nine double oh one two three",
    ],
)
def test_a_phone_number_is_read_as_people_write_and_say_it(said: str) -> None:
    assert reading.phone(said, "GB") == Address("phone", "+447700900123")


@pytest.mark.parametrize("said", ["", "123456", "12 Elm Road", "07700 900123 or 07700 900124", "hello", "+"])
def test_no_phone_number_is_read_where_there_is_not_exactly_one(said: str) -> None:
    assert reading.phone(said, "GB") is None


def test_a_foreign_number_keeps_its_country() -> None:
    assert reading.phone("+34 600 000 001", "GB") == Address("phone", "+34600000001")


def test_landlines_take_no_texts() -> None:
    assert not reading.takes_texts(Address("phone", "+442079460018"))
    assert reading.takes_texts(Address("phone", "+447700900123"))


def test_the_shop_tells_its_country_by_its_time_zone() -> None:
    assert reading.country(SHOP) == "GB"


@pytest.mark.parametrize(
    "said", ["123456", "123 456", "it is 123-456", "one two three four five six", "1 2 3 4 5 6", "code 123456 i think"]
)
def test_a_one_time_code_is_read_however_it_is_spaced(said: str) -> None:
    assert reading.six_digits(said) == "123456"


@pytest.mark.parametrize(
    "said",
    ["12345", "1234567", "my number is 07700900123", "use 07700 900456", "123456 or 654321", "no code came", ""],
)
def test_no_one_time_code_is_read_where_there_are_not_six_digits(said: str) -> None:
    assert reading.six_digits(said) is None


@given(st.text(), st.booleans())
def test_whatever_is_said_there_are_six_plain_digits_or_none(said: str, shout: bool) -> None:
    digits = reading.six_digits(said.upper() if shout else said)
    assert digits is None or (len(digits) == 6 and digits.isascii() and digits.isdecimal())


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("I'd like the same bouquet Ana bought, her code is A7K2Q", "A7K2Q"),
        ("a7k2q", "A7K2Q"),
        ("code: a7k-2q", "A7K2Q"),
        ("A 7 K 2 Q", "A7K2Q"),
        ("it is A7KZQ", "A7K2Q"),
        ("the code 9XK4", "9XK4"),
    ],
)
def test_a_share_code_is_read_out_of_a_sentence(said: str, code: str) -> None:
    assert reading.share_codes(said)[0] == code


@pytest.mark.parametrize(
    "said", ["i have a code from a friend", "on the 24th at 10am", "my house", "N16 8BX", "the code is on the card", ""]
)
def test_no_share_code_is_read_where_none_is(said: str) -> None:
    assert reading.share_codes(said) == ()


def test_every_share_code_we_give_out_is_read_back() -> None:
    for _ in range(300):
        code = new_share_code(lambda _code: False)
        assert reading.share_codes(f"the same as hers, code {code.lower()} please")[0] == code
        assert code in reading.share_codes(code, asked=True)


@pytest.mark.parametrize(
    ("said", "street"),
    [
        ("rose garden for saturday to 12 Elm Road Hackney", "12 Elm Road Hackney"),
        ("change the address to 5 Elm Road, Hackney", "5 Elm Road, Hackney"),
        ("wrong address, it should be 5 elm road", "5 elm road"),
        ("12 Elm Road, Hackney on friday", "12 Elm Road, Hackney"),
        ("to 14 St John Street islington for tomorrow with a card", "14 St John Street islington"),
        ("Elm Road Hackney", "Elm Road Hackney"),
        ("two roses on saturday", None),
        ("i have to go, can we continue by text", None),
    ],
)
def test_an_address_is_found_among_other_words(said: str, street: str | None) -> None:
    assert reading.spot(said) == street


@pytest.mark.parametrize(
    ("said", "area"),
    [("12 elm road hackny", "Hackney"), ("N16, stoke newington", "Stoke Newington"), ("Manchester", None)],
)
def test_an_area_is_known_also_misspelt(said: str, area: str | None) -> None:
    assert reading.area(said, SHOP) == area


@pytest.mark.parametrize(
    ("said", "way"),
    [
        ("card", "card"),
        ("by visa", "card"),
        ("cash please", "cash"),
        ("transfer", "transfer"),
        ("bank transfer", "transfer"),
    ]
    + [("on delivery", None), ("later", None)],
)
def test_a_way_to_pay_is_known_by_any_of_its_names(said: str, way: str | None) -> None:
    found = reading.payment(said, SHOP)
    assert (found.id if found else None) == way


@pytest.mark.parametrize(
    "said", ["yes", "Yes please!", "yep", "ok", "go ahead", "that's right", "perfect, thanks", "place it"]
)
def test_yes_is_heard(said: str) -> None:
    assert reading.yes_or_no(said) is True


@pytest.mark.parametrize("said", ["no", "Nope", "no thanks", "not yet", "don't"])
def test_no_is_heard(said: str) -> None:
    assert reading.yes_or_no(said) is False


@pytest.mark.parametrize(
    "said",
    ["why?", "yes but make it friday", "ok wait", "right, change the day first", "friday", "yesterday", "ok?", ""],
)
def test_half_a_yes_is_none(said: str) -> None:
    assert reading.yes_or_no(said) is None


@pytest.mark.parametrize(
    ("said", "prefix", "number"),
    [
        ("where is order F-4821", "F", "F-4821"),
        ("f4821", "F", "F-4821"),
        ("order number 4821", "F", "F-4821"),
        ("#4821", "R", "R-4821"),
        ("R-1042", "F", None),
        ("saturday", "F", None),
    ],
)
def test_an_order_number_is_read_with_or_without_its_letter(said: str, prefix: str, number: str | None) -> None:
    assert reading.number(said, prefix) == number


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ("my name is john", "John"),
        ("call me Ana-Maria", "Ana-Maria"),
        ("the name is alice brown", "Alice Brown"),
        ("its tom here", "Tom"),
        ("Tom here", "Tom"),
        ("i'm Ana by the way", "Ana"),
        ("i want to tell you my name", None),
        ("", None),
    ],
)
def test_a_name_is_taken_as_it_is_given(said: str, name: str | None) -> None:
    assert reading.name(said) == name


@given(st.text(max_size=300))
def test_no_text_breaks_a_reader(said: str) -> None:
    reading.bouquets(said, SHOP)
    reading.phone(said, "GB")
    reading.spot(said)
    reading.area(said, SHOP)
    reading.payment(said, SHOP)
    reading.number(said, "F")
    assert all(code == code.upper() for code in reading.share_codes(said, asked=True) if code.isascii())
    name = reading.name(said)
    assert name is None or 0 < len(name) <= reading.MAX_NAME_CHARACTERS
