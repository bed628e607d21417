"""Lay out the static pages: the API's description, as CloudFront serves it from the bucket.

`docs/index.html` is served as `/docs`; what it loads is beside it, since the pages' content
security policy lets nothing else in.
"""

from __future__ import annotations

import json
import shutil
import sys
from html import escape
from importlib.util import find_spec
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
ASSETS: Final = ("swagger-ui-bundle.js", "swagger-ui.css", "favicon-32x32.png")

PAGE: Final = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<link rel="icon" type="image/png" href="/docs/assets/favicon-32x32.png">
<link rel="stylesheet" href="/docs/assets/swagger-ui.css">
</head>
<body>
<div id="swagger-ui"></div>
<script src="/docs/assets/swagger-ui-bundle.js"></script>
<script src="/docs/assets/start.js"></script>
</body>
</html>
"""

START: Final = """SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#swagger-ui",
  deepLinking: true,
  presets: [SwaggerUIBundle.presets.apis, SwaggerUIBundle.SwaggerUIStandalonePreset],
});
"""


def lay_out(description: Path, folder: Path) -> None:
    """Write the pages into a folder, anew.

    Raises
    ------
    RuntimeError
        Swagger UI is not installed.
    """
    spec = find_spec("fastapi_swagger")
    if spec is None or spec.origin is None:
        raise RuntimeError("Swagger UI comes with the package fastapi-swagger: run `make check`")
    shutil.rmtree(folder, ignore_errors=True)
    assets = folder / "docs" / "assets"
    assets.mkdir(parents=True)
    for name in ASSETS:
        shutil.copy2(Path(spec.origin).parent / "resources" / name, assets / name)
    (assets / "start.js").write_text(START, encoding="utf-8")
    text = description.read_text(encoding="utf-8")
    title = escape(json.loads(text)["info"]["title"])
    page = PAGE.format(title=f"{title}: API")
    (folder / "docs" / "index.html").write_text(page, encoding="utf-8")
    (folder / "openapi.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    lay_out(ROOT / "docs" / "openapi.json", Path(sys.argv[1]))
