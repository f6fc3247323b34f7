"""Any other mailer: read and verified as the hook's mapping declares."""

import base64
import hashlib
import hmac
from typing import Any
from urllib.parse import parse_qs, parse_qsl

import msgspec

from services.contract.event import Identity
from services.contract.hook import HookEntry
from services.contract.mapping import Mapping, Rule, Signature
from services.tracker.clean import clean_id
from services.tracker.hooks.memory import Memory
from services.tracker.hooks.proof import check_moment, check_secret
from services.tracker.hooks.told import Mail, Reading, Unread, json_of, list_of, made_id
from services.tracker.reasons import RefusedRequestError
from services.tracker.request import BATCH_EVENTS_MAX, Request

AGE_MS_MAX = 48 * 3_600_000
_FIELDS_MAX = 1_000
_DEPTH_MAX = 10
_HEADER = "header."
_FORM = "application/x-www-form-urlencoded"


def read(request: Request, hook: HookEntry, memory: Memory, now_ms: int) -> Reading:
    """See :data:`services.tracker.hooks.told.Read`."""
    del memory
    mapping = hook.mapping
    if mapping is None:
        raise RefusedRequestError("hook_unfinished")
    _verify(request, hook, mapping.signature, now_ms)
    body = _form_of(request.body) if _is_form(request) else json_of(request.body)
    if mapping.events is not None:
        items = list_of(_at(body, mapping.events))
    else:
        items = body if isinstance(body, list) else [body]
    if len(items) > BATCH_EVENTS_MAX:
        raise RefusedRequestError("too_many_events")
    return Reading([_event(item, request, hook.id, mapping) for item in items])


def _verify(request: Request, hook: HookEntry, proof: Signature, now_ms: int) -> None:
    secret = hook.secrets["secret"]
    if proof.kind == "password":
        check_secret(request, secret)
        return
    if proof.kind == "query":
        given = parse_qs(request.query.decode("latin-1")).get("secret", [""])[0]
        expected = secret
    else:
        given = request.header((proof.header or "").encode())
        expected = proof.prefix + _code(request, hook, proof)
    if not given:
        raise RefusedRequestError("no_signature")
    if not hmac.compare_digest(given.encode("utf-8", "surrogatepass"), expected.encode()):
        raise RefusedRequestError("bad_signature")
    if proof.timestamp_header is not None:
        moment = request.header(proof.timestamp_header.encode())
        check_moment(moment[:-3] if len(moment) > 11 else moment, now_ms, AGE_MS_MAX)


def _code(request: Request, hook: HookEntry, proof: Signature) -> str:
    query = b"?" + request.query if request.query else b""
    parts = {
        "method": request.method.encode(),
        "url": hook.url.encode() + query,
        "body": request.body,
        "timestamp": request.header((proof.timestamp_header or "").encode()).encode("latin-1"),
    }
    signed = b"".join(parts[name] for name in proof.parts)
    mac = hmac.new(hook.secrets["secret"].encode(), signed, getattr(hashlib, proof.algorithm))
    return mac.hexdigest() if proof.encoding == "hex" else base64.b64encode(mac.digest()).decode()


def _event(item: Any, request: Request, hook_id: str, mapping: Mapping) -> Mail | Unread:
    fields = mapping.fields

    def of(path: str | None) -> Any:
        if path is None:
            return None
        if path.startswith(_HEADER):
            return request.header(path[len(_HEADER) :].lower().encode()) or None
        return _at(item, path)

    rule = next((one for one in mapping.rules if _holds(one, of)), None)
    own_id = clean_id(of(fields.id))
    event_id = made_id(hook_id, own_id, None if own_id else item, rule.type if rule else None)
    if rule is None or rule.type == "nothing":
        return Unread(event_id, "unknown_kind" if rule is None else "unused_kind")
    other_id = clean_id(of(fields.other_id))
    return Mail(
        id=event_id,
        type=rule.type,
        address=of(fields.email),
        other=Identity(mapping.namespace, other_id) if other_id else None,
        at=_moment(of(fields.at)),
        message=of(fields.message),
        campaign=of(fields.campaign),
        custom={"kt_person": of(fields.person), "content_id": of(fields.content)},
        url=of(fields.url),
        agent=of(fields.agent),
        by_machine=rule.by_machine,
        hard=rule.hard,
        reason=of(fields.reason),
    )


def _moment(value: Any) -> Any:
    """In forms numbers are texts."""
    is_number = isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 15
    return int(value) if is_number else value


def _holds(rule: Rule, of: Any) -> bool:
    return all(_text(of(path)) in texts for path, texts in rule.when.items())


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool | int | float):
        return msgspec.json.encode(value).decode()
    return None


def _at(value: Any, path: str) -> Any:
    for name in path.split("."):
        if isinstance(value, dict):
            value = value.get(name)
        elif isinstance(value, list) and name.isascii() and name.isdigit() and len(name) < 5:
            value = value[int(name)] if int(name) < len(value) else None
        else:
            return None
    return value


def _is_form(request: Request) -> bool:
    return request.header(b"content-type").lower().startswith(_FORM)


def _form_of(body: bytes) -> dict[str, Any]:
    """A form as an object: ``a[b][c]=d`` is ``{"a": {"b": {"c": "d"}}}``."""
    try:
        pairs = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=_FIELDS_MAX)
    except ValueError:
        raise RefusedRequestError("malformed") from None
    whole: dict[str, Any] = {}
    for name, value in pairs:
        *path, last = name.replace("]", "").split("[", _DEPTH_MAX)
        place = whole
        for step in path:
            inner = place.setdefault(step, {})
            if not isinstance(inner, dict):
                inner = place[step] = {}
            place = inner
        place[last] = value
    return whole
