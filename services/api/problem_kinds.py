"""What each ``code`` of a problem means, and what helps: the text of its page."""

KINDS: dict[str, str] = {
    "bad_cursor": "The cursor is not one that this list gave. Pass `next` on as it came, to the "
    "same list with the same filters; or begin again without one.",
    "bad_mapping": "The mapping of a generic webhook cannot be read. The detail names the place.",
    "bad_position": "The feed never came to this position. Read everybody anew, and the feed from "
    "0 on; a database that was put back to an earlier state is one way to come to this.",
    "bad_range": "The two ends of the range contradict each other, or hold too many points.",
    "bad_request": "The request is no HTTP, or no JSON, that can be read.",
    "bad_secrets": "What should prove the mailer is incomplete or of another shape.",
    "bad_target": "A webhook may not go there: it is not https, has no address, or lies inside a "
    "network. Networks of your own are named by `KENTERING_WEBHOOK_NETWORKS`.",
    "bad_signature": "The call was not signed by the mailer, or it was changed on its way.",
    "busy": "Too much is waiting just now, or others were changing the same. Nothing was done: "
    "send the same again after `Retry-After`.",
    "catalogue_full": "The catalogue holds as many items as it may. Take out what has closed.",
    "certificate_awaited": "The certificate that proves the mailer is being fetched. The mailer "
    "sends the same again by itself.",
    "changed_meanwhile": "Somebody changed it since you saw it, so your edit would overwrite "
    "theirs. Read it again, decide, and send the edit with the new `ETag` as `If-Match`.",
    "cross_site": "A form of the dashboard was sent by a page of another site.",
    "cursor_expired": "A cursor is good for 24 hours. Begin the list again without one.",
    "database_away": "The database cannot be reached. Nothing was done; send the same again "
    "after `Retry-After`.",
    "hook_unfinished": "This webhook was not told yet what proves its mailer.",
    "idempotency_mismatch": "This `Idempotency-Key` came with another request before. A key "
    "stands for one request; take a new one.",
    "if_match_missing": "A change of a part of something must say which state you saw: give its "
    "`ETag` as `If-Match`. `*` overwrites whatever there is.",
    "in_the_future": "The moment given lies ahead, and must not.",
    "internal": "It failed on our side, and stands in the log. Nothing is wrong with the request.",
    "invalid": "A parameter or field is missing, or has a value that it cannot have. The detail "
    "names the first, and others that are missing.",
    "link_too_long": "The target and what the link is about do not fit into one address.",
    "log_failed": "The event could not be stored. Send the same again after `Retry-After`.",
    "log_full": "There is no room to store the event. Send the same again after `Retry-After`.",
    "log_in": "The session is over, or there was none. Log in first.",
    "malformed": "The body is not the JSON object that a collecting route takes.",
    "merged": "The person was found to be another: follow `Location`. Do not keep it, for it may "
    "be undone.",
    "method_not_allowed": "The route exists, but does not take this method; `Allow` has those "
    "that it takes.",
    "missing_key": "A collecting route needs a write or server key.",
    "missing_scope": "The key is genuine, but may not do this. Make one with the scope that the "
    "detail names.",
    "never_fires": "Nobody would ever be handed over by this trigger: a vacancy goes to nobody "
    "before Do. Let it wait for `do`, or give it other content, or none: then what comes next.",
    "no_hook": "There is no such webhook of a mailer. It may have been deleted, or made a moment "
    "ago: trackers know a new one within seconds.",
    "no_route": "The tracker has nothing at this address.",
    "no_signature": "Nothing in the call proves that the mailer sent it.",
    "no_such_route": "The API has nothing at this address.",
    "no_workspace": "The internal key speaks for every workspace and must say for which.",
    "not_found": "There is no such thing in the workspace of this key. Whether another workspace "
    "has it is never told.",
    "not_ready": "The tracker cannot check keys yet. Send the same again after `Retry-After`.",
    "not_followed": "The person did not agree to be followed, or took it back: nothing is kept of "
    "them that could stand in a list.",
    "nothing_to_part": "No event and no decision ties this identity to the person directly.",
    "nothing_to_tie": "The person is known by nothing else that the identity could be tied to.",
    "old_signature": "Amazon SNS signed by SHA-1. Set SignatureVersion 2 at the topic.",
    "one_identity": "A decision is about two different identities; these are one.",
    "rate_limited": "More was asked, or sent, than the key or address may. The same request is "
    "taken after `Retry-After` seconds; `RateLimit` tells what is left.",
    "rule_too_large": "Together with the segments that it refers to the rule has more conditions "
    "than one may have. Refer to fewer, or to smaller ones.",
    "segment_chain": "A segment refers to one that refers to the next, and so on, too often. "
    "Put some of these rules into one.",
    "segment_circle": "Segments may refer to each other, but not in a circle: nobody could be in "
    "them. The detail names the way round.",
    "segment_exists": "There is a segment with this key already. Edit it by PUT, or take another "
    "key.",
    "segment_in_use": "Other segments, or triggers, refer to this one. The detail names them: "
    "change these first.",
    "slow_body": "The body did not arrive in time.",
    "special_category": "An attribute, property or topic is called after health, union membership, "
    "age, origin or the like. Nobody is known or chosen by these here, nor by what stands for "
    "them. The detail names it. If it means something else, call it something else.",
    "stale_signature": "The signature was made too long ago, or ahead of time: is a clock wrong?",
    "tied_by_pages": "Anybody can write anybody's user id into a page's call. So what pages alone "
    "tied to a person is not erased along with them before somebody decides: `whole` says what.",
    "too_large": "The body is larger than the route takes. The detail names the limit.",
    "too_many_events": "A batch has at most 5,000 events. Send several.",
    "too_many_hooks": "The workspace has as many webhooks of mailers as it may have.",
    "too_many_links": "The mail has more links than one request may rewrite.",
    "too_many_secrets": "The workspace's links have been given as many secrets as there can be.",
    "too_many_segments": "The workspace has as many segments as it may have. Delete one.",
    "too_many_streams": "A key may have only so many streams open at one time. Close one, or share "
    "one among your listeners.",
    "too_many_triggers": "The workspace has as many triggers as it may have. Delete one.",
    "too_many_waiting": "Too many messages that were asked for wait to be sent. Try again later.",
    "too_many_webhooks": "The workspace has as many webhooks as it may have.",
    "tracker_away": "What changes a person goes through the tracker, and that cannot be reached, "
    "or takes nothing now. Nothing was done; send the same again after `Retry-After`.",
    "two_browsers": "A browser is tied to a known identity, never to another browser.",
    "unauthorized": "No key came with the request, or one that we did not give or that was "
    "revoked.",
    "unknown_field": "The body has a field that does not exist. The detail names the one that was "
    "probably meant. Nothing was done, so that no setting is lost by a slip of the pen.",
    "unknown_segment": "A rule, a webhook or a call of the feed names a segment that there is not. "
    "The detail names the one that was probably meant.",
    "unknown_parameter": "The address has a query parameter that does not exist. The detail names "
    "the one that was probably meant.",
    "segment_not_filled": "No version of the segment answers for the moment asked about: it is "
    "being filled for the first time, or was not yet at `known_at`. The detail says which, and "
    "what to ask.",
    "too_many_jobs": "So many imports and exports are open already. Wait for one to end, or "
    "cancel one.",
    "empty_file": "The file of an import has no bytes.",
    "no_consent": "Nothing may be kept of somebody who did not agree to be measured, or took it "
    "back.",
    "no_file_awaited": "The import has its file, or has ended, or another upload of it began.",
    "unusable_identity": "Nobody can be known by this identity: it is empty, too long, or no "
    "address.",
    "used_signature": "The signature came with another body before.",
    "wrong_key": "The key is of a kind that may not do this: write and server keys send events, "
    "api keys read and manage.",
    "wrong_method": "The tracker's route does not take this method.",
    "too_many_keys": "The workspace has as many keys as it may have. End one that is not used.",
    "beyond_own_scopes": "Nobody gives a key, or another person, more than they may do "
    "themselves. The detail names what is missing.",
    "too_many_accounts": "The workspace has as many accounts as it may have.",
    "account_exists": "Somebody with this mail address can log in already. Change their role, or "
    "invite them again.",
    "last_owner": "A workspace always has an owner who logs in. Give the role to another first.",
}
