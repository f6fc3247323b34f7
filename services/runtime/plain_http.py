"""HTTP/1.1 and nothing else: whoever offers to go on in another protocol is answered in this one.

An offer is not an order (RFC 9110, 7.8), and clients in Java make it with every plain request.
The parser takes it for one: it passes over the body, and reads it as the next request.
"""

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

_BROKEN = "Invalid HTTP request received."
_OFFER = frozenset({b"upgrade", b"connection"})


class PlainHttp(HttpToolsProtocol):
    """One connection; the arguments are uvicorn's.

    Where :attr:`is_offered_another` holds at the end of headers or of a message, the same request
    comes once more, without the offer.
    """

    @property
    def is_offered_another(self) -> bool:
        """Whether the parser is at a request that it takes for the end of HTTP."""
        return bool(self.parser.should_upgrade()) and self.parser.get_method() != b"CONNECT"

    def data_received(self, data: bytes) -> None:
        """Bytes came."""
        self._unset_keepalive_if_required()
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as offered:
            if self.is_offered_another:
                self._read_again(data[offered.args[0] :])
            else:
                self.send_400_response(_BROKEN)
        except httptools.HttpParserError:
            self.logger.warning(_BROKEN)
            self.send_400_response(_BROKEN)

    def on_headers_complete(self) -> None:
        """The body comes next, if there is one."""
        if not self.is_offered_another:
            super().on_headers_complete()

    def on_message_complete(self) -> None:
        """A request's last byte."""
        if not self.is_offered_another:
            super().on_message_complete()

    def _read_again(self, rest: bytes) -> None:
        method, version = self.parser.get_method(), self.parser.get_http_version().encode()
        lines = [b"%b %b HTTP/%b" % (method, self.url, version)]
        lines += [b"%b: %b" % header for header in self.headers if header[0] not in _OFFER]
        said = b",".join(value.lower() for name, value in self.headers if name == b"connection")
        if b"close" in [word.strip() for word in said.split(b",")]:
            lines.append(b"connection: close")
        self.parser = httptools.HttpRequestParser(self)
        PlainHttp.data_received(self, b"\r\n".join(lines) + b"\r\n\r\n" + rest)
