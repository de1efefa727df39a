"""The pages that people see while they prove who they are."""

from collections.abc import Mapping
from enum import Enum
from pathlib import Path

from fastapi import APIRouter
from fastapi.responses import FileResponse, HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

PAGES = Path(__file__).parent / "pages"


class Way(Enum):
    """A way on: what it is called and where it leads on this server."""

    CHAT = ("Back to the chat", "/#chat")
    SIGN_IN = ("Sign in again", "/sign-in")

    @property
    def title(self) -> str:
        """What it is called."""
        return self.value[0]

    @property
    def href(self) -> str:
        """Where it leads."""
        return self.value[1]


class Pages:
    """Pages in the name of the shop."""

    def __init__(self, shop: str) -> None:
        loader = FileSystemLoader(PAGES)
        self._templates = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True)
        self._templates.globals["shop"] = shop

    def show(
        self,
        template: str,
        values: Mapping[str, object],
        *,
        status: int = 200,
        form_action: str = "'none'",
        runs: bool = False,
    ) -> HTMLResponse:
        """A page, which `runs` our scripts or none, sends forms nowhere else, is kept nowhere and shown in no other."""
        scripts = "script-src 'self'; " if runs else ""
        headers = {
            "Content-Security-Policy": f"default-src 'none'; {scripts}style-src 'self'; form-action {form_action}; "
            "base-uri 'none'; frame-ancestors 'none'",
            "Cache-Control": "no-store",
            "Referrer-Policy": "no-referrer",
            "X-Content-Type-Options": "nosniff",
            "X-Frame-Options": "DENY",
        }
        return HTMLResponse(self._templates.get_template(template).render(values), status, headers)

    def refuse(self, heading: str, words: str, *ways: Way, status: int) -> HTMLResponse:
        """A page that says why not, and what can be done."""
        return self.show("refused.html", {"heading": heading, "words": words, "ways": ways}, status=status)


def style_router() -> APIRouter:
    """The style of the pages, and the script of the one that has one."""
    router = APIRouter()
    headers = {"Cache-Control": "public, max-age=300", "X-Content-Type-Options": "nosniff"}

    @router.get("/identity/page.css", include_in_schema=False)
    async def style() -> FileResponse:
        return FileResponse(PAGES / "page.css", headers=headers)

    @router.get("/identity/opening.js", include_in_schema=False)
    async def script() -> FileResponse:
        return FileResponse(PAGES / "opening.js", headers=headers)

    return router
