"""Who asks without a key: visitors of websites, and whoever logs in, by their address."""

from fastapi import Request

from services.api.context import Context
from services.api.problem import Problem


def sender_of(here: Context, request: Request) -> str | None:
    """The address, or IPv6 network, that a request came from; None: an inner one."""
    return here.addresses.sender(
        "" if request.client is None else request.client.host,
        ", ".join(request.headers.getlist("x-forwarded-for")).encode("latin-1"),
        ", ".join(request.headers.getlist("forwarded")).encode("latin-1"),
    )


def count_visit(here: Context, request: Request) -> None:
    """Count a request of whom no key tells apart; inner addresses are not limited.

    Raises:
        Problem: 429, too many came from this address.
    """
    address = sender_of(here, request)
    left = None if address is None else here.visits.take(address)
    if left is not None and left.wait_s:
        text = f"An address may ask {left.per_minute} times a minute. Send this again later."
        raise Problem(429, "rate_limited", text, {"Retry-After": str(left.wait_s)})
