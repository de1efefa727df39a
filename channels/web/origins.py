"""Which sites may open a WebSocket; the package's docstring says why that has to be asked."""


class Origins:
    """Our own origin, which always may, and the sites on the allow-list."""

    def __init__(self, public_url: str | None, allowed_origins: tuple[str, ...] = ()) -> None:
        self._known = {origin.rstrip("/").lower() for origin in (public_url, *allowed_origins) if origin}

    def let_in(self, origin: str | None, host: str) -> bool:
        """Whether a handshake to this host may come from a page of this origin."""
        if origin is None:
            return True
        # The scheme is not compared: behind a proxy that ends TLS we see http where the browser sees https.
        own = (f"http://{host}", f"https://{host}") if host else ()
        return origin.lower() in self._known.union(address.lower() for address in own)
