"""Forms as browsers and clients send them."""

from fastapi import Request

from assistant.errors import MalformedPayload

MOST_BYTES = 16 * 1024
"""In a form."""


async def form_of(request: Request) -> str:
    """The body of a form, as sent. Raises `MalformedPayload`."""
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/x-www-form-urlencoded":
        raise MalformedPayload("content-type: not a form")
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MOST_BYTES:
            raise MalformedPayload(f"body: more than {MOST_BYTES} bytes")
    try:
        return body.decode("ascii")
    except UnicodeDecodeError:
        raise MalformedPayload("body: not ASCII, as URL-encoded forms are") from None
