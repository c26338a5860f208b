"""A bare XMPP client whose every octet the test chooses: no library between the test and XEP-0198's counts."""
import base64
import collections
import hashlib
import hmac
import secrets
import select
import socket
import ssl
import time
import xml.etree.ElementTree as ET
from xml.sax.saxutils import quoteattr

WAIT_SECONDS_MAX = 30

CLIENT = "{jabber:client}"
STREAMS = "{http://etherx.jabber.org/streams}"
TLS = "urn:ietf:params:xml:ns:xmpp-tls"
SASL = "urn:ietf:params:xml:ns:xmpp-sasl"
BIND = "urn:ietf:params:xml:ns:xmpp-bind"
SM = "urn:xmpp:sm:3"
STANZAS = {CLIENT + name for name in ("message", "presence", "iq")}
HASHES = {"SCRAM-SHA-1": "sha1", "SCRAM-SHA-256": "sha256", "SCRAM-SHA-512": "sha512"}


class Gone(Exception):
    """The other side ended the stream or the connection."""


class RawXmpp:
    """One connection. Sends what it is told, when it is told, and answers nothing by itself.

    `handled` counts incoming stanzas since <enabled/> or from what was resumed, as XEP-0198 §4 wants it; it belongs to
    the session, so a test carries it from one connection to the next. `heard` holds every top-level element.
    """

    def __init__(self, port: int, ca, direct_tls: bool = False, host: str = "im.test"):
        self.host, self.heard, self.handled, self.counting = host, [], 0, False
        self.address, self.features, self.resumption_id = None, None, None
        self._context = ssl.create_default_context(cafile=str(ca))
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=WAIT_SECONDS_MAX)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if direct_tls:
            self._secure()
            self.open()
        else:
            self.open()
            self.send(f"<starttls xmlns='{TLS}'/>")
            self.until(lambda e: e.tag == f"{{{TLS}}}proceed")
            self._secure()
            self.open()

    def _secure(self):
        self.socket = self._context.wrap_socket(self.socket, server_hostname=self.host)

    # --- octets ------------------------------------------------------------------------------------------------------

    def send(self, *octets: str):
        """All in one write, so that nothing comes between."""
        self.socket.sendall("".join(octets).encode())

    def open(self):
        self._parser = ET.XMLPullParser(["start", "end"])
        self._depth, self._root, self._read = 0, None, collections.deque()
        self.send(f"<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='{STREAMS[1:-1]}' to='{self.host}' version='1.0'>")
        self.features = self.until(lambda e: e.tag == STREAMS + "features")

    def _readable(self, seconds: float) -> bool:
        if isinstance(self.socket, ssl.SSLSocket) and self.socket.pending():
            return True
        return bool(select.select([self.socket], [], [], max(0, seconds))[0])

    def _receive(self):
        try:
            octets = self.socket.recv(1 << 16)
        except ssl.SSLWantReadError:
            return
        except OSError as error:
            raise Gone(str(error)) from None
        if not octets:
            raise Gone("the connection ended")
        self._parser.feed(octets)
        for event, element in self._parser.read_events():
            if event == "start":
                self._depth += 1
                self._root = self._root if self._root is not None else element
                continue
            self._depth -= 1
            if self._depth == 1:
                self._root.remove(element)
            if self._depth <= 1:
                self._read.append(element)

    def next(self, seconds: float = 0):
        """The next top-level element, which only now counts as handled; None when none comes in time. Raises Gone."""
        end = time.monotonic() + seconds
        while not self._read:
            if not self._readable(end - time.monotonic()):
                return None
            self._receive()
        element = self._read.popleft()
        if element.tag == STREAMS + "stream":
            raise Gone("the stream was closed")
        if element.tag == STREAMS + "error":
            raise Gone(f"stream error {element[0].tag}")
        if self.counting and element.tag in STANZAS:
            self.handled += 1
        self.heard.append(element)
        return element

    def until(self, wanted, what: str = "the element", seconds: float = WAIT_SECONDS_MAX):
        """The first element from now on for which wanted(element) holds; those before it are in `heard`."""
        end = time.monotonic() + seconds
        while (element := self.next(end - time.monotonic())) is not None:
            if wanted(element):
                return element
        raise AssertionError(f"{self.address}: no {what} within {seconds} s; heard {[ET.tostring(e)[:200] for e in self.heard[-6:]]}")

    # --- signing in --------------------------------------------------------------------------------------------------

    def mechanisms(self):
        return [m.text for m in self.features.findall(f"{{{SASL}}}mechanisms/{{{SASL}}}mechanism")]

    def authenticate(self, user: str, password: str, mechanism: str = "SCRAM-SHA-1", flag: str = "n"):
        """SCRAM (RFC 5802) with the gs2 `flag`: n, this client cannot bind; y, it could, but the server does not offer it.

        Raises PermissionError with the server's condition, or because the server does not know the password.
        """
        digest, header = HASHES[mechanism], f"{flag},,"
        first = f"n={user},r={secrets.token_hex(12)}"
        self.send(f"<auth xmlns='{SASL}' mechanism='{mechanism}'>{_base64((header + first).encode())}</auth>")
        challenge = self._challenge("challenge")
        fields = dict(part.split("=", 1) for part in challenge.split(","))
        salted = hashlib.pbkdf2_hmac(digest, password.encode(), base64.b64decode(fields["s"]), int(fields["i"]))
        final = f"c={_base64(header.encode())},r={fields['r']}"
        signed = f"{first},{challenge},{final}".encode()
        key = hmac.digest(salted, b"Client Key", digest)
        signature = hmac.digest(hashlib.new(digest, key).digest(), signed, digest)
        proof = bytes(a ^ b for a, b in zip(key, signature))
        self.send(f"<response xmlns='{SASL}'>{_base64(f'{final},p={_base64(proof)}'.encode())}</response>")
        verifier = _base64(hmac.digest(hmac.digest(salted, b"Server Key", digest), signed, digest))
        if dict([self._challenge("success").split("=", 1)])["v"] != verifier:
            raise PermissionError("the server does not know the password")
        self.open()
        return self

    def _challenge(self, name: str) -> str:
        element = self.until(lambda e: e.tag.startswith(f"{{{SASL}}}"), "SASL's answer")
        if element.tag != f"{{{SASL}}}{name}":
            raise PermissionError(element[0].tag.partition("}")[2] if len(element) else element.tag)
        return base64.b64decode(element.text or "").decode()

    def bind(self, resource: str = "one"):
        self.send(f"<iq type='set' id='bind'><bind xmlns='{BIND}'><resource>{resource}</resource></bind></iq>")
        answer = self.until(lambda e: e.get("id") == "bind", "the address")
        self.address = answer.findtext(f"{{{BIND}}}bind/{{{BIND}}}jid")
        return self

    def appear(self):
        self.send("<presence/>")
        self.until(lambda e: e.tag == CLIENT + "presence" and e.get("from") == self.address, "own presence")
        return self

    # --- XEP-0198 ----------------------------------------------------------------------------------------------------

    def enable(self):
        self.send(f"<enable xmlns='{SM}' resume='true'/>")
        element = self.until(lambda e: e.tag in (f"{{{SM}}}enabled", f"{{{SM}}}failed"), "<enabled/>")
        assert element.tag.endswith("enabled") and element.get("resume") in ("true", "1"), ET.tostring(element)
        self.resumption_id = element.get("id")
        self.counting, self.handled = True, 0
        return self

    def resume(self, previous_id: str, handled: int):
        """<resumed/>'s h, or None when it was refused. Goes on counting from `handled`."""
        self.send(f"<resume xmlns='{SM}' previd={quoteattr(previous_id)} h='{handled}'/>")
        element = self.until(lambda e: e.tag in (f"{{{SM}}}resumed", f"{{{SM}}}failed"), "<resumed/>")
        if element.tag.endswith("failed"):
            return None
        self.counting, self.handled = True, handled
        self.resumption_id = previous_id
        return int(element.get("h"))

    def until_acknowledged(self) -> int:
        return int(self.until(lambda e: e.tag == f"{{{SM}}}a", "<a/>").get("h"))

    # --- stanzas -----------------------------------------------------------------------------------------------------

    def until_text(self, text: str):
        return self.until(lambda e: e.tag == CLIENT + "message" and e.findtext(CLIENT + "body") == text, f"message {text!r}")

    def texts(self):
        """Bodies of the messages that arrived, without errors."""
        return [e.findtext(CLIENT + "body") for e in self.heard
                if e.tag == CLIENT + "message" and e.get("type") != "error" and e.find(CLIENT + "body") is not None]

    def cut(self):
        """The network goes away: no goodbye."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self.socket.close()

    def close(self):
        try:
            self.send("</stream:stream>")
            while self.next(2) is not None:
                pass
            self.socket.close()
        except (Gone, OSError):
            self.socket.close()


def request() -> str:
    return f"<r xmlns='{SM}'/>"


def acknowledgement(handled: int) -> str:
    return f"<a xmlns='{SM}' h='{handled}'/>"


def message(to: str, text: str, id: str) -> str:
    return f"<message to='{to}' type='chat' id='{id}'><body>{text}</body></message>"


def _base64(octets: bytes) -> str:
    return base64.b64encode(octets).decode()
