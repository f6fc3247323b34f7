"""The audit in words: who did what to which thing, and what became of it."""

from contextlib import suppress
from datetime import datetime
from typing import Any, NamedTuple, get_args

from pydantic import ValidationError
from sqlalchemy import Connection, Row, select

from services.api.audit import COMMAND_LINE, NOBODY
from services.api.dashboard.audit_texts import ABOUT, MAPPED, NOBODY_KNOWN, VALUES
from services.api.dashboard.names import segment_names
from services.api.dashboard.rule_view import Names, Shown, view
from services.api.dashboard.texts import Words
from services.api.dashboard.trigger_texts import when_in_words
from services.contract.keys import KeyKind
from services.contract.tables import account, api_key, hook, webhook
from services.model.rules import RuleTree

_VALUE_CHARS = 300
_UNSAID = {"id", "created_at", "created_by", "complete"}
"""Fields that say nothing beside what was done, when and by whom."""
_CALLED = ("email", "name", "title", "url")
"""Fields that a thing goes by."""
_MOMENTS = {
    "since",
    "published_at",
    "closes_at",
    "objected_at",
    "given_at",
    "starts_at",
    "ends_at",
}


class Difference(NamedTuple):
    """Of one field what it was and what it is, in words; empty: nothing."""

    field: str
    before: str
    after: str


class Noted(NamedTuple):
    """One change."""

    when: str
    what: str
    about: str
    who: str
    differences: list[Difference]
    before_rule: Shown | None
    after_rule: Shown | None


class Teller:
    """Tells changes, and knows the names of what they are about."""

    def __init__(self, connection: Connection, workspace_id: int, words: Words) -> None:
        self._words = words
        self._segments: Names = segment_names(connection, workspace_id)
        people = select(account.c.public_id, account.c.email).where(
            account.c.workspace_id == workspace_id
        )
        # Ended keys too: what they did stands there still.
        keys = select(api_key.c.public_id, api_key.c.name).where(
            api_key.c.workspace_id == workspace_id
        )
        webhooks = select(webhook.c.public_id, webhook.c.url).where(
            webhook.c.workspace_id == workspace_id
        )
        self._names = dict(self._segments) | {
            str(row[0]): str(row[1])
            for query in (people, keys, webhooks)
            for row in connection.execute(query)
        }
        mailers = select(hook.c.public_id, hook.c.esp).where(hook.c.workspace_id == workspace_id)
        for row in connection.execute(mailers):
            self._names[row.public_id] = self._plain("esp", row.esp)

    def tell(self, row: Row[Any]) -> Noted:
        """A row of the audit."""
        before, after = (_fields(row.what, told) for told in (row.before, row.after))
        about = self._named(row, {**before, **after})

        def different(name: str) -> Difference | None:
            was, now = (self._value(name, told.get(name)) for told in (before, after))
            # What is made is named already.
            if was == now or (not was and now == about):
                return None
            return Difference(self._words.audit_field(name), was, now)

        rules = [self._rule(told.pop("rule", None)) for told in (before, after)]
        return Noted(
            when=self._words.moment(row.at_ms),
            what=self._words.done(row.what),
            about=about,
            who=self._who(row.who),
            differences=[one for name in {**before, **after} if (one := different(name))],
            before_rule=rules[0] if rules[0] != rules[1] else None,
            after_rule=rules[1] if rules[0] != rules[1] else None,
        )

    def _who(self, who: str) -> str:
        """A credential's ``who``: ``account acc_…``, ``key key_…`` or the command line."""
        if who == COMMAND_LINE:
            return self._words["by_command_line"]
        kind, _, public_id = who.partition(" ")
        if not public_id:  # the product itself
            return who
        name = self._names.get(public_id, public_id)
        return f"{self._words['by_key']} {name}" if kind == "key" else name

    def _named(self, row: Row[Any], told: dict[str, Any]) -> str:
        if row.what in ABOUT:
            return ABOUT[row.what][self._words.language]
        about = str(row.about)
        if about == NOBODY:
            return NOBODY_KNOWN[self._words.language]
        own = next((told[name] for name in _CALLED if told.get(name)), None)
        if "esp" in told:
            own = self._plain("esp", told["esp"])
        if about.startswith("hk_"):  # it is long, and gone
            own = own or self._words.audit_field("esp")
        return self._names.get(about) or (own if isinstance(own, str) else about)

    def _rule(self, told: Any) -> Shown | None:
        if told is None:
            return None
        try:
            rule = RuleTree.model_validate({"rule": told}).rule
        except ValidationError:  # of later code than ours
            return None
        return view(rule, self._words.language, self._segments)

    def _value(self, name: str, value: Any) -> str:
        words = self._words
        if value is None or value == []:
            return ""
        if name == "role":
            return words[f"role_{value}"]
        if name == "kind" and value in get_args(KeyKind):
            return words[f"key_{value}"]
        if name == "scopes" and isinstance(value, list):
            return "; ".join(words.scope(str(scope)) for scope in value)
        if isinstance(value, dict):
            told = self._object(name, value)
        elif isinstance(value, list):
            told = ", ".join(filter(None, (self._value(name, one) for one in value)))
        else:
            told = self._plain(name, value)
        return told[:_VALUE_CHARS]

    def _object(self, name: str, value: dict[str, Any]) -> str:
        """Its fields in words, unless there are words for the whole."""
        words = self._words
        if name == "mapping":
            return MAPPED[words.language]
        if name == "when" and (moment := when_in_words(value, words.language)):
            return moment
        parts = ((key, self._value(key, one)) for key, one in value.items())
        return "; ".join(f"{words.audit_field(key)} {text}" for key, text in parts if text)

    def _plain(self, name: str, value: str | float) -> str:
        """A value that is no list and no object."""
        words = self._words
        known = VALUES.get(name, {}).get(str(value))
        if known is not None:
            return known[words.language]
        if name in _MOMENTS:
            with suppress(ValueError):
                return words.day(round(datetime.fromisoformat(str(value)).timestamp() * 1000))
        if name in {"segment", "segments", "beside", "webhook_id"}:
            return self._names.get(str(value), str(value))
        if name == "attributes":
            return words.attribute(str(value))
        return words.value(value)


def _fields(what: str, told: Any) -> dict[str, Any]:
    """What is told of a thing, but for what people do not read."""
    if not isinstance(told, dict):
        return {}
    # The address of a mailer's webhook is for the mailer alone.
    unsaid = _UNSAID | ({"url"} if what.startswith("hook.") else set())
    return {name: value for name, value in told.items() if name not in unsaid}
