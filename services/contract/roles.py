"""Scopes, and the roles of people as sets of them: what each may see and do."""

from typing import Literal, get_args

Role = Literal["owner", "recruiter", "reader", "privacy_officer"]

SCOPES: dict[str, str] = {
    "persons:read": "persons, their timelines, phases and explanations",
    "segments:read": "segments, their members, counts and trends",
    "segments:write": "create, edit and delete segments",
    "persons:write": "tell what is known of persons",
    "imports:write": "bring people, events and vacancies in by file",
    "exports:write": "take the members of segments out as a file",
    "jobs:write": "see and end imports and exports",
    "changes:read": "the change feed",
    "content:read": "the catalogue of content",
    "content:write": "put content in the catalogue, and take it out",
    "links:write": "make and list tracked links, campaigns and mailings, with recipients",
    "identities:write": "decide which identities are one person's, and which are not",
    "consent:write": "record what people agreed to, or took back, elsewhere",
    "persons:erase": "erase people, and see what was erased; set how long people are kept",
    "hooks:read": "webhooks of mailers, without their secrets",
    "hooks:write": "make and delete webhooks of mailers",
    "webhooks:read": "webhooks and what was sent to them",
    "webhooks:write": "make, change and delete webhooks, and send to them",
    "triggers:read": "triggers, and whom they handed over",
    "triggers:write": "make, change and delete triggers",
    "workspace:write": "rotate the secret of links, declare what consent server keys stand for",
    "workspace:read": "the workspace and the model in force",
    "keys:read": "keys, without what proves them",
    "keys:write": "make, rotate and end keys, with no more than one's own scopes",
    "accounts:read": "people who may log in",
    "accounts:write": "invite people, give them roles, end their access",
    "audit:read": "who changed what of rules, keys, people and settings",
}

_RECRUITER = frozenset(
    {
        "persons:read",
        "persons:write",
        "segments:read",
        "segments:write",
        "imports:write",
        "exports:write",
        "jobs:write",
        "changes:read",
        "content:read",
        "content:write",
        "links:write",
        "identities:write",
        "consent:write",
        "hooks:read",
        "webhooks:read",
        "triggers:read",
        "triggers:write",
        "workspace:read",
    }
)
SCOPES_OF: dict[Role, frozenset[str]] = {
    "owner": frozenset(SCOPES),
    "recruiter": _RECRUITER,
    # Numbers, and never who.
    "reader": frozenset({"segments:read", "workspace:read"}),
    "privacy_officer": frozenset(
        {
            "persons:read",
            "segments:read",
            "changes:read",
            "identities:write",
            "consent:write",
            "persons:erase",
            "hooks:read",
            "webhooks:read",
            "triggers:read",
            "workspace:read",
            "keys:read",
            "accounts:read",
            "audit:read",
        }
    ),
}
ROLES: tuple[Role, ...] = get_args(Role)
