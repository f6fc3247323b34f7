"""What mailers' merge fields look like."""

from typing import Literal, NamedTuple

Mailer = Literal["mailchimp", "sendgrid", "brevo"]


class MergeFields(NamedTuple):
    """How a mailer puts a recipient's values into a mail."""

    token: str
    """Replaced by the recipient's token; by nothing for those who may not be followed."""
    pixel_if: str
    """Before what only those with a token get."""
    pixel_end: str
    unsubscribe: str
    """Replaced by the recipient's token to unsubscribe."""


MERGE_FIELDS: dict[Mailer, MergeFields] = {
    "mailchimp": MergeFields("*|KTOKEN|*", "*|IF:KTOKEN|*", "*|END:IF|*", "*|KUNSUB|*"),
    "sendgrid": MergeFields("{{ktoken}}", "{{#if ktoken}}", "{{/if}}", "{{kunsub}}"),
    "brevo": MergeFields(
        "{{ contact.KTOKEN }}",
        "{% if contact.KTOKEN %}",
        "{% endif %}",
        "{{ contact.KUNSUB }}",
    ),
}
