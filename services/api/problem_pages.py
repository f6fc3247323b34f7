"""Where the ``type`` of a problem leads: what it means, and what helps."""

from html import escape

from fastapi import APIRouter, Response

from services.api.problem import Problem
from services.api.problem_kinds import KINDS

router = APIRouter(prefix="/problems", include_in_schema=False)

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title} · Kentering API</title>
<link rel="icon" href="/static/icon.svg">
<link rel="stylesheet" href="/static/style.css">
</head>
<body>
<header class="top"><a class="brand" href="/problems">Problems</a> <a href="/docs">API</a></header>
<main id="main"><h1>{title}</h1>
{text}
</main>
</body>
</html>
"""


@router.get("")
def all_kinds() -> Response:
    """Every kind of problem."""
    rows = (
        f'<dt id="{code}"><a href="/problems/{code}">{code}</a></dt><dd>{_marked(text)}</dd>'
        for code, text in sorted(KINDS.items())
    )
    return _page("Problems", f"<dl>{''.join(rows)}</dl>")


@router.get("/{code}")
def one_kind(code: str) -> Response:
    """One kind of problem."""
    if code not in KINDS:
        raise Problem(404, "not_found", "There is no problem of this kind.")
    return _page(code, f"<p>{_marked(KINDS[code])}</p>")


def _page(title: str, text: str) -> Response:
    page = _PAGE.format(title=escape(title), text=text)
    return Response(page, media_type="text/html", headers={"Cache-Control": "max-age=300"})


def _marked(text: str) -> str:
    """The text with what stands between backticks as code."""
    parts = escape(text).split("`")
    return "".join(f"<code>{part}</code>" if i % 2 else part for i, part in enumerate(parts))
