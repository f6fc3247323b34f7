"""Making and changing a segment: a form of conditions, a preview of who would come and go."""

import json
import re
import unicodedata
from dataclasses import dataclass

from fastapi import APIRouter, Request, Response
from pydantic import ValidationError
from sqlalchemy import Connection

from services.api.context import Here
from services.api.dashboard.error_texts import what_to_do
from services.api.dashboard.forms import Sent, go_to, must_be_sure, on_form
from services.api.dashboard.names import segment_names
from services.api.dashboard.offered import offered
from services.api.dashboard.pages import ChangesSegments, FormOf, May, page, words_of
from services.api.dashboard.previewed import Previewed, previewed
from services.api.dashboard.rule_drafts import (
    GROUPS,
    RAW,
    Draft,
    at,
    draft_of,
    json_of,
    marked,
    placed,
    written,
)
from services.api.dashboard.rule_fields import CONDITIONS
from services.api.dashboard.rule_labels import Labels
from services.api.dashboard.segment_page import rule_in_words
from services.api.dashboard.session import Visitor
from services.api.dashboard.texts import Words
from services.api.problem import Problem
from services.api.segment_shapes import SegmentCreate, SegmentEdit, SegmentKey
from services.api.segment_store import find_segment
from services.api.segments import change_segment, make_segment, remove_segment, tag_of_segment
from services.contract.spelling import KEY_PATTERN
from services.model.rules import RuleTree

router = APIRouter(include_in_schema=False)

_FORM = FormOf(131_072, 2_000)
"""64 conditions with every field of theirs."""
_MAY = May("segments:read", "segments:write")
_NAME_LENGTH_MAX = 200
_INDENT = 2


@dataclass
class Editing:
    """A segment as it is being written."""

    key: str
    """Of the segment that is changed; empty: it is a new one."""
    draft: Draft
    name: str = ""
    new_key: str = ""
    seen: str = ""
    """The tag of the segment as it was when the form was opened."""
    wrong: str = ""
    """The name of the text that says what is the matter."""
    problem: Problem | None = None
    """Why it could not be saved or previewed."""
    focus: str = ""
    """The path of the part to go on with, or ``preview``."""
    preview: Previewed | None = None
    json: str = ""
    """What was written as JSON and is no rule."""


@router.get("/new-segment")
def new(here: Here, request: Request, visitor: ChangesSegments) -> Response:
    """An empty form."""
    editing = Editing("", placed(Draft("all", parts=[Draft("phase")])), focus="name")
    with here.engine.connect() as connection:
        return _page(connection, request, visitor, editing)


@router.get("/segments/{key}/edit")
def edit(here: Here, request: Request, key: SegmentKey, visitor: ChangesSegments) -> Response:
    """The form of a segment that there is."""
    with here.engine.connect() as connection:
        found = find_segment(connection, visitor.workspace_id, key)
        rule = RuleTree.model_validate({"rule": found.newest.rule}).rule
        draft = written(rule.model_dump(mode="json"))
        editing = Editing(key, draft, found.newest.name, seen=tag_of_segment(found))
        return _page(connection, request, visitor, editing)


@on_form(router, "/new-segment", _MAY, _FORM)
def make(sent: Sent) -> Response:
    """Go on with the form, preview, or save what is new."""
    return _answer(sent, "")


@on_form(router, "/segments/{key}/edit", _MAY, _FORM)
def change(sent: Sent) -> Response:
    """Go on with the form, preview, or save what is changed."""
    return _answer(sent, sent.named("key"))


@on_form(router, "/segments/{key}/delete", _MAY)
def delete(sent: Sent) -> Response:
    """Delete a segment, if that was confirmed."""
    must_be_sure(sent)
    remove_segment(sent.here, sent.visitor.credential(), sent.named("key"), sent.field("seen"))
    return go_to(sent, "/")


def _answer(sent: Sent, key: str) -> Response:
    editing = Editing(
        key,
        draft_of(sent.fields),
        name=sent.field("name")[:_NAME_LENGTH_MAX],
        new_key=sent.field("key")[:64].lower(),
        seen=sent.field("seen"),
    )
    try:
        done = _do(sent, editing)
    except Problem as problem:
        editing.problem = problem
        return _shown(sent, editing, problem.status)
    if done:
        return go_to(sent, f"/segments/{done}")
    return _shown(sent, editing, 200 if not editing.wrong else 400)


def _do(sent: Sent, editing: Editing) -> str:
    """What the pressed button says; the key of what was saved, else nothing."""
    what, _, path = sent.field("do").partition(":")
    match what:
        case "add":
            group, kind = at(editing.draft, path), sent.field(f"{path}.add")
            if group is not None and kind in (*GROUPS, *CONDITIONS, RAW):
                group.parts.append(Draft(kind))
                placed(editing.draft)
                editing.focus = group.parts[-1].path
        case "drop":
            above = at(editing.draft, path.rpartition(".")[0])
            if above is not None:
                above.parts = [part for part in above.parts if part.path != path]
                placed(editing.draft)
                editing.focus = above.path
        case "json":
            _take_json(sent, editing)
        case "save":
            if _is_whole(editing):
                return _save(sent, editing)
        case _:
            if _is_whole(editing):
                editing.preview = previewed(sent, editing.key or None, json_of(editing.draft))
                editing.focus = "preview"
    return ""


def _is_whole(editing: Editing) -> bool:
    """Whether it is a rule; if not, the page tells where it is not."""
    if not marked(editing.draft):
        editing.wrong = "rule_unfinished"
        return False
    try:
        SegmentEdit(name="-", rule=json_of(editing.draft))
    except ValidationError:
        editing.wrong = "rule_too_large"
        return False
    return True


def _take_json(sent: Sent, editing: Editing) -> None:
    text = sent.field("json")
    try:
        tree = RuleTree.model_validate({"rule": json.loads(text)})
    except (ValueError, RecursionError):
        editing.json, editing.wrong = text, "rule_no_json"
        return
    editing.draft = written(tree.rule.model_dump(mode="json"))


def _save(sent: Sent, editing: Editing) -> str:
    """Save it; its key.

    Raises:
        Problem: 409, 412, as the API says.
    """
    if not editing.name:
        editing.wrong, editing.focus = "segment_no_name", "name"
        return ""
    rule, credential = json_of(editing.draft), sent.visitor.credential()
    if editing.key:
        body = SegmentEdit(name=editing.name, rule=rule)
        change_segment(sent.here, credential, editing.key, body, editing.seen)
        return editing.key
    key = editing.new_key or _key_of(editing.name)
    if not re.fullmatch(KEY_PATTERN, key):
        editing.wrong, editing.focus = "segment_no_key", "key"
        return ""
    made = SegmentCreate(key=key, name=editing.name, rule=rule)
    make_segment(sent.here, credential, made)
    return key


def _key_of(name: str) -> str:
    """A key that reads like a name."""
    plain = unicodedata.normalize("NFKD", name.lower()).encode("ascii", "ignore").decode()
    return re.sub("[^a-z0-9]+", "-", plain).strip("-")[:64]


def _shown(sent: Sent, editing: Editing, status: int) -> Response:
    with sent.here.engine.connect() as connection:
        return _page(connection, sent.request, sent.visitor, editing, status)


def _page(
    connection: Connection,
    request: Request,
    visitor: Visitor,
    editing: Editing,
    status: int = 200,
) -> Response:
    words, name = words_of(connection, visitor, request)
    try:
        rule = json_of(editing.draft)
        told = rule_in_words(connection, visitor.workspace_id, rule, words)
    except (ValueError, RecursionError):
        rule, told = None, None
    segments = segment_names(connection, visitor.workspace_id)
    segments.pop(editing.key, None)
    address = f"/segments/{editing.key}/edit" if editing.key else "/new-segment"
    return page(
        "editor.html",
        words,
        visitor,
        status,
        workspace=name,
        path=address,
        at=address,
        editing=editing,
        rule=told,
        wrong=_wrong(editing, words),
        json=editing.json or json.dumps(rule, ensure_ascii=False, indent=_INDENT),
        labels=Labels(words),
        conditions=CONDITIONS,
        groups=GROUPS,
        raw=RAW,
        segments=segments,
        offered=offered(connection, visitor.workspace_id),
    )


def _wrong(editing: Editing, words: Words) -> str:
    if editing.problem is not None:
        return what_to_do(editing.problem, words.language)
    return words[editing.wrong] if editing.wrong else ""
