"""Which channels a set of settings gives."""

from dataclasses import replace

from assistant.turns import Address, Modality
from channels import CHANNELS, Channel, ChannelSettings, RoutedChannel, SpeakingChannel
from channels.web.storefront import Storefront


class NobodyOptedOut:
    """Lets every text go out."""

    async def opt_out(self, address: Address) -> None: ...

    async def opt_in(self, address: Address) -> None: ...

    async def is_out(self, address: Address) -> bool:
        return False


NOTHING_SET = ChannelSettings(Storefront("Fiore"))
TWILIO_SET = replace(
    NOTHING_SET,
    public_url="https://shop.example",
    twilio_account_sid="AC" + "0" * 32,
    twilio_auth_token="not for logs",
    twilio_number="+442079460000",
    opt_outs=NobodyOptedOut(),
)


def built(settings: ChannelSettings) -> dict[str, Channel]:
    channels = {name: factory(settings) for name, factory in CHANNELS.items()}
    return {name: channel for name, channel in channels.items() if channel is not None}


def test_without_settings_there_is_the_web_only() -> None:
    channels = built(NOTHING_SET)
    assert set(channels) == {"web"}
    assert channels["web"].modality is Modality.SCREEN
    assert isinstance(channels["web"], RoutedChannel)


def test_with_an_account_there_are_texts_that_can_be_sent_first() -> None:
    channels = built(TWILIO_SET)
    assert set(channels) == {"web", "sms"}
    assert isinstance(channels["sms"], RoutedChannel)
    assert isinstance(channels["sms"], SpeakingChannel)


def test_every_channel_goes_by_the_name_it_is_listed_under() -> None:
    channels = built(TWILIO_SET)
    assert [channel.name for channel in channels.values()] == list(channels)


def test_settings_in_a_log_show_no_token() -> None:
    assert "not for logs" not in repr(TWILIO_SET)
