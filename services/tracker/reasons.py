"""Why something was refused, counted without following, doubted, or lost: the closed set.

Answers show them, and a metric counts each of them.
"""

from typing import Literal, get_args

import msgspec

RequestReason = Literal[
    "missing_key",  # no write key in the header, the body or the query
    "wrong_key",  # a key that we did not give, or one that was revoked
    "no_workspace",  # the internal key speaks for every workspace, and did not say for which
    "malformed",  # not JSON, not of the shape, or a compressed body that ends too early
    "too_large",  # more than BODY_BYTES_MAX, after decompression
    "too_many_events",  # more than BATCH_EVENTS_MAX
    "slow_body",  # the body did not arrive in time
    "rate_limited",  # more than one key or one address may send
    "no_route",
    "wrong_method",
    "not_ready",  # no snapshot yet, so no key can be checked
    "busy",  # the queue before the log is full
    "log_full",  # the log has no room
    "log_failed",  # the log could not be written
    "no_hook",  # a mailer's webhook that we did not give, or one that was deleted
    "hook_unfinished",  # a webhook that was not yet told what proves its mailer
    "no_signature",  # nothing that proves the mailer
    "bad_signature",  # something that does not prove it
    "old_signature",  # an Amazon SNS signature of version 1, by SHA-1
    "stale_signature",  # made too long ago, or ahead of time
    "used_signature",  # one that came with another body before
    "certificate_awaited",  # whose certificate is being fetched
]

EventReason = Literal[
    "event_malformed",  # no JSON object, or a number out of range
    "field_missing",  # a track without event, a group without groupId, an alias without both ids
    "event_too_large",  # more than EVENT_BYTES_MAX
    "unknown_call",  # a type of call that does not exist
    "server_only_type",  # a browser's key said what only an employer's systems know
    "no_consent",  # nobody said that this person may be measured
    "privacy_signal",  # Sec-GPC or DNT
    "withdrawn",  # this person took consent to be measured back
    "no_identity",  # consent, but nobody to follow
    "unknown_kind",  # a mailer's event of a kind that we do not know
    "unused_kind",  # one that we know, and that says nothing of a person
    "own_link",  # a mailer's word of a click on our own link, which comes in there
]

HitReason = Literal[
    "bad_token",  # a link or pixel that we did not sign
    "bad_person",  # a genuine link with somebody else's, or nobody's, signature for the person
    "bad_key",  # a pixel without a genuine key
    "expired_link",  # one that was signed for a time that is over
    "unsafe_target",  # signed once, but no address that we would send anybody to now
]

DoubtReason = Literal[
    "unknown_field",  # beside the fields that the calls have: nothing was done with it
    "misspelt_name",  # kept as custom, but it is nearly the name of a type
    "unknown_channel",  # none of ours: the type's own was taken
    "timestamp_unreadable",  # it happened when it arrived
    "timestamp_ahead",  # the same
    "timestamp_too_old",  # the same
    "id_unusable",  # no text or number, or too long: left out
    "email_unusable",  # no mail address: names nobody
    "consent_unreadable",  # neither true nor false: counts as not said
    "shortened",  # cut or cleaned, because it could not be stored as it was
    "special_category",  # attributes about health, age, origin or the like: left out
    "message_id_repeated",  # twice in one batch: the two count once
    "taken_for_machine",  # stored, but software's doing is no evidence
]

Reason = RequestReason | EventReason | HitReason | DoubtReason

REASONS: tuple[Reason, ...] = (
    *get_args(RequestReason),
    *get_args(EventReason),
    *get_args(HitReason),
    *get_args(DoubtReason),
)


class Doubt(msgspec.Struct, frozen=True, omit_defaults=True):
    """An event is kept, but perhaps not as its sender meant it."""

    code: DoubtReason
    field: str | None = None
    """Of the call, as the sender spells it."""


class RefusedRequestError(Exception):
    """The request as a whole is refused."""

    def __init__(self, reason: RequestReason) -> None:
        super().__init__(reason)
        self.reason: RequestReason = reason


class RefusedEventError(Exception):
    """One event is refused, its neighbours in the batch are not."""

    def __init__(self, reason: EventReason) -> None:
        super().__init__(reason)
        self.reason: EventReason = reason
