"""Errors as pages, for whoever looks at one; as problem details for everybody else."""

from fastapi import Request, Response

from services.api.dashboard.error_texts import title_of, what_to_do
from services.api.dashboard.pages import page
from services.api.dashboard.texts import Words, language_of
from services.api.problem import Problem, answer_of

_REDIRECTS = range(300, 400)


def shown(request: Request, problem: Problem) -> Response:
    """The problem as its reader can use it.

    A page asks nothing of the database, which may be what is away: so it does not know who looks.
    """
    if problem.status in _REDIRECTS or not _looks_at_a_page(request):
        return answer_of(problem)
    words = Words(language_of(request), "UTC")
    is_reader = request.url.path.startswith("/n/")  # of a mail: no dashboard is theirs
    answer = page(
        "problem.html",
        words,
        status=problem.status,
        title=title_of(problem.status, words.language),
        told=what_to_do(problem, words.language),
        path="/" if request.method != "GET" and not is_reader else "",
        is_reader=is_reader,
    )
    answer.headers.update(problem.headers or {})
    return answer


def _looks_at_a_page(request: Request) -> bool:
    """Browsers ask for HTML when they go somewhere, and send forms so; programs do not."""
    asks = "text/html" in request.headers.get("accept", "")
    return asks and not request.url.path.startswith("/v1/")
