"""The API's description for people, at `/docs`.

Swagger UI comes from the `fastapi-swagger` package when it is installed, so the page works without
the internet; otherwise from the CDN FastAPI uses.
"""

from __future__ import annotations

import base64
import hashlib
import re
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from fastapi import FastAPI
from fastapi.openapi.docs import get_swagger_ui_html
from starlette.responses import HTMLResponse, RedirectResponse
from starlette.staticfiles import StaticFiles

ASSETS_PATH: Final = "/docs/assets"

_CDN: Final = " https://cdn.jsdelivr.net"
_ICON: Final = " https://fastapi.tiangolo.com"
_INLINE: Final = re.compile(rb"<script>(.*?)</script>", re.DOTALL)


def add_docs(app: FastAPI) -> None:
    """Serve the documentation page and, if they are here, its assets."""
    title, openapi_url = f"{app.title}: API", app.openapi_url or "/openapi.json"
    assets = _assets()
    if assets is None:
        page = get_swagger_ui_html(openapi_url=openapi_url, title=title)
    else:
        app.mount(ASSETS_PATH, StaticFiles(directory=assets))
        page = get_swagger_ui_html(
            openapi_url=openapi_url,
            title=title,
            swagger_js_url=f"{ASSETS_PATH}/swagger-ui-bundle.js",
            swagger_css_url=f"{ASSETS_PATH}/swagger-ui.css",
            swagger_favicon_url=f"{ASSETS_PATH}/favicon-32x32.png",
        )
    page.headers["Content-Security-Policy"] = _policy(bytes(page.body), local=assets is not None)

    @app.get("/docs", include_in_schema=False)
    async def docs() -> HTMLResponse:
        return page

    @app.get("/", include_in_schema=False)
    async def root() -> RedirectResponse:
        return RedirectResponse("/docs")


def _policy(page: bytes, *, local: bool) -> str:
    """What the page may load and run: its own scripts, those written in it by their digest.

    Swagger UI sets styles on its elements and has images in its style sheet (`data:`).
    """
    cdn, icon = ("", "") if local else (_CDN, _ICON)
    digests = (hashlib.sha256(script).digest() for script in _INLINE.findall(page))
    scripts = "".join(f" 'sha256-{base64.b64encode(one).decode()}'" for one in digests)
    return (
        f"default-src 'none'; script-src 'self'{cdn}{scripts}; style-src 'self'{cdn} "
        f"'unsafe-inline'; img-src 'self' data:{icon}; connect-src 'self'; base-uri 'none'; "
        "form-action 'none'; frame-ancestors 'none'"
    )


def _assets() -> Path | None:
    """Where the installed package keeps Swagger UI; its code is not run."""
    spec = find_spec("fastapi_swagger")
    if spec is None or spec.origin is None:
        return None
    assets = Path(spec.origin).parent / "resources"
    return assets if (assets / "swagger-ui-bundle.js").is_file() else None
