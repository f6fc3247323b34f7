"""Keeps a list at a mailer equal to a segment.

    python mailer.py mailchimp SEGMENT LIST      (also sendgrid, brevo)

``MAILER_KEY`` is the mailer's key; ``MAILER_URL`` its address where it is not the usual one
(Mailchimp's has your data centre in it: https://us21.api.mailchimp.com). Run it as often as
you like: who left the segment, withdrew, unsubscribed or was erased is taken off. Brevo's
lists have numbers.
"""

import hashlib
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import httpx
from kentering import API_SETTINGS, HandedOver, members, settings, tell


class Mailchimp:
    """An audience; the segment is a tag in it, so that nobody is subscribed anew who left."""

    url = "https://us1.api.mailchimp.com"

    def __init__(self, key: str, audience: str, segment: str) -> None:
        self.auth = {"auth": ("kentering", key)}
        self._audience, self._tag = f"/3.0/lists/{audience}/members", f"kentering {segment}"

    def add(self, client: httpx.Client, emails: Sequence[str]) -> set[str]:
        """Those that it refused: who was deleted there for good must come back by themselves."""
        refused = set()
        for email in emails:
            member = {"email_address": email, "status_if_new": "subscribed"}
            path = f"{self._audience}/{_md5(email)}"
            if tell(client, "PUT", path, refusals=(400,), json=member).is_success:
                self._tagged(client, email, "active")
            else:
                refused.add(email)
        return refused

    def remove(self, client: httpx.Client, emails: Sequence[str]) -> None:
        for email in emails:
            self._tagged(client, email, "inactive")

    def _tagged(self, client: httpx.Client, email: str, status: str) -> None:
        tags = {"tags": [{"name": self._tag, "status": status}]}
        # 404: deleted there meanwhile.
        tell(client, "POST", f"{self._audience}/{_md5(email)}/tags", refusals=(404,), json=tags)


class SendGrid:
    """A list of Marketing Campaigns."""

    url = "https://api.sendgrid.com"

    def __init__(self, key: str, audience: str, _segment: str) -> None:
        self.auth = {"headers": {"Authorization": f"Bearer {key}"}}
        self._list = audience

    def add(self, client: httpx.Client, emails: Sequence[str]) -> set[str]:
        for some in _parts(emails, 1_000):
            contacts = {"list_ids": [self._list], "contacts": [{"email": one} for one in some]}
            tell(client, "PUT", "/v3/marketing/contacts", json=contacts)
        return set()

    def remove(self, client: httpx.Client, emails: Sequence[str]) -> None:
        for some in _parts(emails, 100):
            search = "/v3/marketing/contacts/search/emails"
            # 404: none of these is there any more.
            answer = tell(client, "POST", search, refusals=(404,), json={"emails": some})
            found = answer.json()["result"].values() if answer.is_success else ()
            ids = ",".join(one["contact"]["id"] for one in found if "contact" in one)
            if ids:
                path = f"/v3/marketing/lists/{self._list}/contacts"
                tell(client, "DELETE", path, params={"contact_ids": ids})


class Brevo:
    """A list."""

    url = "https://api.brevo.com"

    def __init__(self, key: str, audience: str, _segment: str) -> None:
        self.auth = {"headers": {"api-key": key}}
        self._list = int(audience)

    def add(self, client: httpx.Client, emails: Sequence[str]) -> set[str]:
        for some in _parts(emails, 1_000):
            contacts = {
                "jsonBody": [{"email": one} for one in some],
                "listIds": [self._list],
                "updateExistingContacts": True,
                "disableNotification": True,
            }
            tell(client, "POST", "/v3/contacts/import", json=contacts)
        return set()

    def remove(self, client: httpx.Client, emails: Sequence[str]) -> None:
        for some in _parts(emails, 150):
            path = f"/v3/contacts/lists/{self._list}/contacts/remove"
            # 400: none of these is on the list any more.
            tell(client, "POST", path, refusals=(400,), json={"emails": some})


MAILERS = {"mailchimp": Mailchimp, "sendgrid": SendGrid, "brevo": Brevo}


def main(name: str, segment: str, audience: str) -> None:
    """Hand over who came, take off who went, and say how many."""
    kind = MAILERS[name]
    key, *_ = settings("MAILER_KEY", *API_SETTINGS)
    mailer = kind(key, audience, segment)
    # Of this list: one segment may be handed to several.
    kept = HandedOver(Path(f"{name}-{segment}-{audience}.json"))
    now = {one["email"] for one in members(segment, "contact") if one["email"]}
    gone, new = (kept.there | kept.begun) - now, now - kept.there
    kept.keep(kept.there, kept.begun | new)
    url = os.environ.get("MAILER_URL", kind.url)
    with httpx.Client(base_url=url, timeout=60, **mailer.auth) as client:
        mailer.remove(client, sorted(gone))
        refused = mailer.add(client, sorted(new))
    kept.keep(now - refused)
    told = f"{len(new - refused)} added, {len(gone)} removed, {len(now - refused)} in all"
    print(f"{told}, {len(refused)} refused" if refused else told)


def _md5(email: str) -> str:
    """As Mailchimp names a member."""
    return hashlib.md5(email.lower().encode(), usedforsecurity=False).hexdigest()


def _parts(emails: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    for i in range(0, len(emails), size):
        yield emails[i : i + size]


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["mailchimp" | "sendgrid" as name, segment, audience]:
            main(name, segment, audience)
        case ["brevo", segment, audience] if audience.isdecimal():
            main("brevo", segment, audience)
        case _:
            sys.exit(__doc__)
