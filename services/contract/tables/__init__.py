"""The tables that scorer and API share.

Times are UTC milliseconds in bigint columns ending in ``_ms``. Every row carries its workspace
and every index begins with it and is named after the question it answers. Row ids stay inside;
what leaves the product is a random ``public_id``.
"""

from services.contract.tables.access import (
    account,
    audit,
    login_failure,
    request_made,
    session,
)
from services.contract.tables.accounts import api_key, hook, link_secret, workspace
from services.contract.tables.agreed import consent, erased_consent, erasure, withdrawal
from services.contract.tables.base import metadata
from services.contract.tables.catalogue import content
from services.contract.tables.jobs import job, job_error, job_piece
from services.contract.tables.record import (
    aggregate,
    event,
    identity,
    identity_conflict,
    identity_decision,
    identity_edge,
    identity_link,
    person,
    sweep,
)
from services.contract.tables.said import (
    change,
    checkpoint,
    count_delta,
    interval,
    model_fold,
    model_version,
    person_state,
)
from services.contract.tables.segments import segment, segment_version
from services.contract.tables.sent import campaign, link, message, unsubscribed
from services.contract.tables.triggers import firing, trigger
from services.contract.tables.webhooks import delivery, feed_reader, webhook
from services.contract.tables.working import dead_letter, feed_position, log_position

__all__ = [
    "account",
    "aggregate",
    "api_key",
    "audit",
    "campaign",
    "change",
    "checkpoint",
    "consent",
    "content",
    "count_delta",
    "dead_letter",
    "delivery",
    "erased_consent",
    "erasure",
    "event",
    "feed_position",
    "feed_reader",
    "firing",
    "hook",
    "identity",
    "identity_conflict",
    "identity_decision",
    "identity_edge",
    "identity_link",
    "interval",
    "job",
    "job_error",
    "job_piece",
    "link",
    "link_secret",
    "log_position",
    "login_failure",
    "message",
    "metadata",
    "model_fold",
    "model_version",
    "person",
    "person_state",
    "request_made",
    "segment",
    "segment_version",
    "session",
    "sweep",
    "trigger",
    "unsubscribed",
    "webhook",
    "withdrawal",
    "workspace",
]
