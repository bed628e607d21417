"""The API's description for people, at `/docs`.

Swagger UI comes from the `fastapi-swagger` package when it is installed, so the page works without
the internet; otherwise from the CDN FastAPI uses.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Final

from fastapi import FastAPI
from fastapi.openapi.docs import get_swagger_ui_html
from starlette.responses import HTMLResponse
from starlette.staticfiles import StaticFiles

ASSETS_PATH: Final = "/docs/assets"


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

    @app.get("/docs", include_in_schema=False)
    async def docs() -> HTMLResponse:
        return page


def _assets() -> Path | None:
    """Where the installed package keeps Swagger UI; its code is not run."""
    spec = find_spec("fastapi_swagger")
    if spec is None or spec.origin is None:
        return None
    assets = Path(spec.origin).parent / "resources"
    return assets if (assets / "swagger-ui-bundle.js").is_file() else None
