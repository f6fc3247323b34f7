"""The tracker's decision: one request in, events and an answer out. No I/O, no clock, no chance.

The way of a request: its route; who sends it; its calls or its token; per event what happened,
who it was, and whether that may be kept; then the answer. The answer is sent after the events
are stored.
"""

from services.tracker import answers
from services.tracker.accepted import Accepted
from services.tracker.directory import Directory
from services.tracker.reasons import RefusedRequestError
from services.tracker.request import Request
from services.tracker.routes import Route, route_of


def accept(request: Request, directory: Directory, now_ms: int) -> Accepted:
    """Decide one request to a collecting route.

    Args:
        request: read and decompressed; its method is one that the route takes.
        directory: the snapshot, arranged for look-ups.
        now_ms: UTC milliseconds; every event is received now.
    """
    route = route_of(request.path)
    if route is None:
        return Accepted(answers.problem("no_route"), reasons=["no_route"])
    return decided(route, request, directory, now_ms)


def decided(route: Route, request: Request, directory: Directory, now_ms: int) -> Accepted:
    """The same where the route is known."""
    try:
        return route.decide(request, directory, now_ms)
    except RefusedRequestError as refused:
        return Accepted(answers.problem(refused.reason), reasons=[refused.reason])
