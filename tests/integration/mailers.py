"""What three mailers make of their merge fields, as far as a rewritten mail uses them."""

import re

import jinja2


def mailchimp(html: str, fields: dict[str, str]) -> str:
    """Of ``*|NAME|*`` and ``*|IF:NAME|* … *|END:IF|*``."""
    html = re.sub(
        r"\*\|IF:(\w+)\|\*(.*?)\*\|END:IF\|\*",
        lambda m: m[2] if fields.get(m[1].lower()) else "",
        html,
        flags=re.DOTALL,
    )
    return re.sub(r"\*\|(\w+)\|\*", lambda m: fields.get(m[1].lower(), ""), html)


def sendgrid(html: str, fields: dict[str, str]) -> str:
    """Of Handlebars ``{{name}}`` and ``{{#if name}} … {{/if}}``."""
    html = re.sub(
        r"\{\{#if (\w+)\}\}(.*?)\{\{/if\}\}",
        lambda m: m[2] if fields.get(m[1]) else "",
        html,
        flags=re.DOTALL,
    )
    return re.sub(r"\{\{(\w+)\}\}", lambda m: fields.get(m[1], ""), html)


def brevo(html: str, fields: dict[str, str]) -> str:
    """Brevo's language of templates is Jinja's, as far as this goes."""
    contact = {name.upper(): value for name, value in fields.items()}
    template = jinja2.Environment(autoescape=True).from_string(html)
    return template.render(contact=contact)


MAILERS = {"mailchimp": mailchimp, "sendgrid": sendgrid, "brevo": brevo}
