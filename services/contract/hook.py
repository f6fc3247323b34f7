"""A mailer's webhook into Kentering: whose it is, which mailer calls it, what proves the mailer."""

from typing import Literal, get_args

import msgspec

from services.contract.mapping import Mapping

Esp = Literal["sendgrid", "postmark", "mailgun", "ses", "brevo", "mandrill", "generic"]
"""``mandrill`` is Mailchimp Transactional; ``generic`` any other mailer, by a mapping."""
ESPS: tuple[Esp, ...] = get_args(Esp)

PROOFS: dict[Esp, tuple[str, ...]] = {
    "sendgrid": ("public_key",),
    "postmark": ("username", "password"),
    "mailgun": ("signing_key",),
    "ses": ("topic_arn",),
    "brevo": ("username", "password"),
    "mandrill": ("webhook_key",),
    "generic": ("secret",),
}
"""What each mailer's calls are verified by: the names in ``secrets``."""

TOPIC_ARN = r"arn:aws[a-z-]*:sns:[a-z0-9-]{2,32}:[0-9]{12}:[A-Za-z0-9_-]{1,256}"
"""The look of an Amazon SNS topic's name (a regular expression)."""


class HookEntry(msgspec.Struct, frozen=True):
    """One webhook."""

    id: str
    """Random; the last part of its address."""
    workspace_id: int
    esp: Esp
    url: str
    """Its whole address as the mailer has it: Mandrill signs it."""
    secrets: dict[str, str] = {}
    """By the names in :data:`PROOFS`; empty until they are told, and then nothing is taken."""
    asserted_consent: str | None = None
    """The declaration that those who are mailed consented to be measured and profiled."""
    mapping: Mapping | None = None
    """How the ``generic`` mailer's webhook is read."""
