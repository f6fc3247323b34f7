"""QR codes: pictures that are well-formed, and as sparse as short tokens make them."""

from xml.etree import ElementTree as ET

from services.api.qr import qr_svg
from services.contract.token import Link, Recipient, sign_link, sign_recipient

SECRET = b"one secret of thirty-two bytes!!"
DOOR = Link("https://werkenbij.example.org/open-dag", None, "open-dag", None, "meeting")
URL = f"https://track.example.org/c/{sign_link(DOOR, 3, 1, SECRET)}"
MINE = f"{URL}.{sign_recipient(Recipient('0123456789abcdef', True, True), 3, 1, SECRET)}"


def modules(svg: str, scale: int) -> int:
    """On a side, without the quiet zone of four on either."""
    return int(ET.fromstring(svg).attrib["width"]) // scale - 8


def test_a_picture() -> None:
    svg = qr_svg(f"{URL}?a=1&b=<2>", scale=3)
    assert "script" not in svg
    root = ET.fromstring(svg)
    title = root.find("{http://www.w3.org/2000/svg}title")
    assert title is not None
    assert title.text == f"{URL}?a=1&b=<2>"


def test_sparse() -> None:
    """41 modules a side for all, 49 for one; tokens of version 1 needed 49 and 57."""
    assert modules(qr_svg(URL, 2), 2) == 41
    assert modules(qr_svg(MINE, 2), 2) == 49
