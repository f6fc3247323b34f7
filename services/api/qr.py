"""QR codes as SVG."""

import io

import segno


def qr_svg(url: str, scale: int = 8) -> str:
    """The address as a picture, black on white with the quiet zone that readers need.

    Args:
        url: what a phone will open.
        scale: pixels of a module's side.
    """
    # M: a code may lose a seventh of itself to a fold or a thumb and still be read.
    code = segno.make_qr(url, error="m", boost_error=True)
    out = io.BytesIO()
    code.save(out, kind="svg", scale=scale, light="white", title=url, svgclass=None, lineclass=None)
    return out.getvalue().decode()
