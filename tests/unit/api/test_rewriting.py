"""Mails are rewritten where they must be, and to the byte the same everywhere else."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.api.mail_html import read_value, tags_in
from services.api.rewriting import put_in, read_mail, spelled_out, with_utm

MAILS = Path(__file__).parents[2] / "golden" / "mails"
SITE = "https://werkenbij.example.org"
TRACKER = "https://track.example.org"


def mail(name):
    return (MAILS / f"{name}.html").read_text("utf-8")


def numbered(html, pixel=None):
    """The mail with its links replaced by their number."""
    reading = read_mail(html, TRACKER)
    numbers = {place: f"@{number}@" for number, place in enumerate(reading.places)}
    return reading, put_in(html, reading, numbers.__getitem__, pixel)


def test_what_outlook_and_browsers_read():
    reading, html = numbered(mail("outlook"))
    assert [place.target.removeprefix(SITE) for place in reading.places] == [
        "/nacht?a=1&b=2",
        "/nacht?a=1&b=2",
        "/dag",
        "/open/",
        "/region?a=1&region=nl&copy=2",
        "/dubbel",
        "/kaart",
        "/wit%20regel",
        "/laatste",
    ]
    assert [(left.url.removeprefix(SITE), left.reason) for left in reading.left] == [
        ("https://www.example.org/account?x=unsubscribe", "unsubscribe"),
        ("/q", "unsubscribe"),
        ("mailto:hr@example.org?subject=https://werkenbij.example.org/", "scheme"),
        ("tel:+31201234567", "scheme"),
        ("/privacy", "off"),
    ]
    assert '<a title="5 > 4" href="@3@"><img' in html  # what had no quotes has them now
    assert "HREF='@2@'>" in html


def test_our_own_addresses_are_known_in_capitals():
    ours = "HTTPS://Track.Example.org"
    html = (
        f'<a href="{ours}/c/1">1</a><a href="{ours}/u/1">2</a><a href="{ours}/n/1">3</a>'
        f'<a href="{ours}/N/1">4</a><img src="{ours}/o/1">'
    )
    for public_url in (TRACKER, ours):
        reading = read_mail(html, public_url)
        assert [left.reason for left in reading.left] == ["tracked", "unsubscribe"]
        assert [place.is_smart for place in reading.places] == [True, False]
        assert reading.has_pixel


@pytest.mark.parametrize("name", ["outlook", "mailchimp", "sendgrid", "brevo"])
def test_nothing_else_changes(name):
    """Each value put back is the mail again."""
    html = mail(name)
    reading, changed = numbered(html, "[pixel]")
    raw = [html[place.value.start : place.value.end] for place in reading.places]
    bare = [not place.value.quote for place in reading.places]
    back = re.sub(
        r'"?@(\d+)@"?',
        lambda m: raw[int(m[1])] if bare[int(m[1])] else m[0].replace(f"@{m[1]}@", raw[int(m[1])]),
        changed,
    )
    assert back.replace("[pixel]", "") == html
    assert changed.count("[pixel]") == 1


@pytest.mark.parametrize(
    ("name", "targets", "left"),
    [
        (
            "mailchimp",
            ["/verhalen/nacht", "/utrecht"],
            ["merge_field", "merge_field", "unsubscribe"],
        ),
        (
            "sendgrid",
            [
                "/vacatures/monteur?bron=a&soort=b",
                "/caf%C3%A9",
                "/%C3%A9%C3%A9n%20plek",
            ],
            ["merge_field", "unsubscribe", "unsubscribe"],
        ),
        (
            "brevo",
            ["/open-dag"],
            ["merge_field", "relative", "relative", "unsafe", "unsubscribe"],
        ),
    ],
)
def test_mails_of_real_mailers(name, targets, left):
    reading, _ = numbered(mail(name))
    assert [place.target.removeprefix(SITE) for place in reading.places] == targets
    assert [one.reason for one in reading.left] == left


def test_a_mail_is_rewritten_once():
    _, html = numbered(f'<body><a href="{SITE}/x">x</a></body>', "[pixel]")
    html = html.replace("@0@", f"{TRACKER}/c/token.{{{{k}}}}")
    html = html.replace("[pixel]", f'<img src="{TRACKER}/o/token.{{{{k}}}}.gif">')
    again = read_mail(html, TRACKER)
    assert again.places == []
    assert again.has_pixel
    assert [left.reason for left in again.left] == ["tracked"]


@pytest.mark.parametrize(
    ("html", "place"),
    [
        ("<body>x</body></html>", 7),
        ("<body>x</BODY ></html>", 7),
        ("x</html>", 1),
        ("x", 1),
        ("<body>x<!-- </body> --></body>", 23),
        ("<script>'</body>'</script></body>", 26),
        ("", 0),
    ],
)
def test_where_the_pixel_goes(html, place):
    assert read_mail(html, TRACKER).pixel_at == place


def test_what_a_link_is_about():
    html = f'<a href="{SITE}/" data-content-id="n &amp; 1" DATA-CONTENT-TYPE=story>x</a>'
    place = read_mail(html, TRACKER).places[0]
    assert (place.content_id, place.content_type) == ("n & 1", "story")


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        ("?a=1&amp;b=2", "?a=1&b=2"),
        ("?a=1&copy=2&region=3&notit", "?a=1&copy=2&region=3&notit"),
        ("&copy;&copy &lang;&lang", "©© ⟨&lang"),
        ("&#x26;&#38;&#38&#xZ", "&&&&#xZ"),
        (f"&#{'1' * 5_000};", "\ufffd"),
        ("&amp=1&&", "&amp=1&&"),
    ],
)
def test_references_in_values(raw, value):
    assert read_value(raw) == value


@pytest.mark.parametrize(
    ("url", "same"),
    [
        ("https://caf\u00e9.example/", "https://xn--caf-dma.example/"),
        ("https://a.example/%20 x", "https://a.example/%20%20x"),
        ("https://a.example/?q=\u20ac#\u20ac", "https://a.example/?q=%E2%82%AC#%E2%82%AC"),
    ],
)
def test_addresses_in_ascii(url, same):
    assert spelled_out(url) == same


@pytest.mark.parametrize(
    ("target", "full"),
    [
        ("https://a.nl", "https://a.nl?utm_source=m&utm_campaign=a%26b"),
        ("https://a.nl/?x#y?z", "https://a.nl/?x&utm_source=m&utm_campaign=a%26b#y?z"),
        ("https://a.nl/?utm_source=", "https://a.nl/?utm_source=&utm_campaign=a%26b"),
        ("https://a.nl/?", "https://a.nl/?utm_source=m&utm_campaign=a%26b"),
    ],
)
def test_utm(target, full):
    assert with_utm(target, {"utm_source": "m", "utm_campaign": "a&b"}) == full


PIECES = [
    *("<", ">", "<a ", "<!--", "-->", "<!", "[if mso]>", "<![endif]-->", "href=", "'", '"', "/"),
    *("https://a.nl/", " ", "<script>", "</script>", "</body>", "x", "=", "<v:rect ", "</a", "é"),
]


@given(st.lists(st.sampled_from(PIECES), max_size=60).map("".join))
def test_whatever_it_is_it_stays(html):
    reading, changed = numbered(html)
    assert all(html[tag.start] == "<" and html[tag.end - 1] == ">" for tag in tags_in(html))
    for number, place in enumerate(reading.places):
        raw = html[place.value.start : place.value.end]
        token = f"@{number}@" if place.value.quote else f'"@{number}@"'
        changed = changed.replace(token, raw)
    assert changed == html


@pytest.mark.parametrize("piece", ["<!--", "<a ", "<a x='", "</", "<a href=", "<!--[if a]>", "&#"])
def test_a_large_ugly_mail_takes_no_longer_than_its_length(piece):
    """Were it quadratic, this test would reach its time limit."""
    read_mail(piece * (500_000 // len(piece)), TRACKER)
