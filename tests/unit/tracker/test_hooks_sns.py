"""Amazon SNS: whose certificate is believed, and which addresses are visited."""

import json

import pytest

from services.tracker.hooks.errand import ConfirmSubscription, FetchCertificate
from services.tracker.hooks.errands import certificate_of
from services.tracker.hooks.memory import Memory
from services.tracker.request import Request
from tests.unit.tracker.mailers import (
    CERTIFICATE_URL,
    TOPIC,
    certificate_pem,
    changed,
    code_of,
    directory,
    first,
    memory,
    signed,
    sns_message,
    sns_signed,
    take,
)
from tests.unit.tracker.scene import REQUEST_ID


def sns_request(message, **more) -> Request:
    return Request("POST", "/hooks/ses/hk_ses", {}, REQUEST_ID, b"", sns_signed(message, **more))


SUBSCRIBE_URL = (
    "https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription"
    f"&TopicArn={TOPIC}&Token=2336412f37fb687f5d51e6e241d09c805a5a57b30d712f794cc5f6a988666d92"
)


def confirmation(**changes):
    told = {"SubscribeURL": SUBSCRIBE_URL, "Token": "2336412f37fb", **changes}
    text = "You have chosen to subscribe to the topic. To confirm, visit the SubscribeURL."
    return sns_message(text, "SubscriptionConfirmation", **told)


def test_an_unknown_certificate_is_asked_for_and_the_message_comes_again():
    known = directory(remembered=memory(with_certificate=False))
    request = signed("ses", first("ses"))
    awaited = take(request, known)
    assert code_of(awaited) == "503 certificate_awaited"
    assert (b"retry-after", b"5") in awaited.reply.headers
    assert awaited.errands == (FetchCertificate(CERTIFICATE_URL),)
    known.memory.keep_certificate(CERTIFICATE_URL, certificate_of(certificate_pem()))
    assert take(request, known).events


@pytest.mark.parametrize(
    "url",
    [
        "http://sns.eu-west-1.amazonaws.com/x.pem",
        "https://sns.eu-west-1.amazonaws.com.evil.example/x.pem",
        "https://evil.example/sns.eu-west-1.amazonaws.com/x.pem",
        "https://sns.eu-west-1.amazonaws.com@evil.example/x.pem",
        "https://user@sns.eu-west-1.amazonaws.com/x.pem",
        "https://sns.eu-west-1.amazonaws.com:8443/x.pem",
        "https://bucket.s3.amazonaws.com/x.pem",
        "https://sns.s3.amazonaws.com/x.pem",  # files of whoever has the bucket named sns
        "https://sns.s3-us-west-2.amazonaws.com/x.pem",
        "https://sns.s3-accelerate.amazonaws.com/x.pem",
        "https://sns.a/b.amazonaws.com/x.pem",
        "https://169.254.169.254/latest/meta-data",
        "https://[::1/x.pem",
        "https:// sns.eu-west-1.amazonaws.com/x.pem",
        "https://sns.eu-west-1.amazonaws.com/" + "x" * 3000,
        "file:///etc/passwd",
        "",
    ],
)
def test_a_certificate_from_elsewhere_is_never_asked_for(url):
    refused = take(sns_request(sns_message("{}", SigningCertURL=url)))
    assert code_of(refused) == "403 bad_signature"
    assert refused.errands == ()


def test_other_partitions_and_a_named_host_speak_for_sns():
    assert Memory().speaks_for_sns("https://sns.cn-north-1.amazonaws.com.cn/x.pem")
    assert Memory().speaks_for_sns("https://sns.us-gov-west-1.amazonaws.com/x.pem")
    assert not Memory().speaks_for_sns("https:///x.pem")
    assert Memory("localhost:4566").speaks_for_sns("https://localhost:4566/x.pem")
    assert not Memory("localhost:4566").speaks_for_sns("http://localhost:4566/x.pem")
    assert not Memory("localhost:4566").speaks_for_sns("https://localhost:4567/x.pem")


def test_another_topic_and_another_version_are_refused():
    other = sns_message("{}", TopicArn=TOPIC + "-of-somebody-else")
    assert code_of(take(sns_request(other))) == "403 bad_signature"
    assert code_of(take(sns_request(sns_message("{}", SignatureVersion="1")))) == (
        "403 old_signature"
    )
    assert code_of(take(sns_request(sns_message("{}") | {"Type": "Greeting"}))) == (
        "403 bad_signature"
    )


def test_an_expired_certificate_proves_nothing():
    known = directory(remembered=memory(with_certificate=False))
    old = certificate_of(certificate_pem(days=-1))
    known.memory.keep_certificate(CERTIFICATE_URL, old)
    assert code_of(take(signed("ses", first("ses")), known)) == "403 bad_signature"


def test_a_subscription_is_confirmed_only_when_sns_signed_it():
    accepted = take(sns_request(confirmation()))
    assert accepted.reply.status == 200
    assert accepted.errands == (ConfirmSubscription(SUBSCRIBE_URL),)
    forged = json.loads(sns_signed(confirmation())) | {"SubscribeURL": SUBSCRIBE_URL + "x"}
    request = sns_request(confirmation())
    refused = take(changed(request, body=json.dumps(forged).encode()))
    assert code_of(refused) == "403 bad_signature"
    assert refused.errands == ()
    awaited = take(request, directory(remembered=memory(with_certificate=False)))
    assert awaited.errands == (FetchCertificate(CERTIFICATE_URL),)


@pytest.mark.parametrize(
    "url",
    [
        SUBSCRIBE_URL.replace("sns.eu-west-1.amazonaws.com", "evil.example"),
        SUBSCRIBE_URL.replace("ConfirmSubscription", "DeleteTopic"),
        SUBSCRIBE_URL.replace("mail-events", "other"),
        SUBSCRIBE_URL.replace("https:", "http:"),
    ],
)
def test_only_this_topics_confirmation_is_visited(url):
    refused = take(sns_request(confirmation(SubscribeURL=url)))
    assert code_of(refused) == "403 bad_signature"
    assert refused.errands == ()


def test_being_unsubscribed_from_the_topic_is_taken_note_of_and_not_undone():
    told = {"SubscribeURL": SUBSCRIBE_URL, "Token": "2336412f37fb"}
    accepted = take(sns_request(sns_message("Bye", "UnsubscribeConfirmation", **told)))
    assert accepted.reply.status == 200
    assert accepted.errands == ()
