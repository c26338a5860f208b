"""An IRC client of lines: what was sent and heard is seen whole, tags included, which no client library shows."""
import base64
import dataclasses
import select
import socket
import ssl
import time

WAIT_SECONDS_MAX = 30


@dataclasses.dataclass(frozen=True)
class Line:
    tags: dict
    source: str
    command: str
    params: list

    @property
    def nick(self):
        return self.source.split("!")[0]

    @classmethod
    def parse(cls, text: str):
        tags, source = {}, ""
        if text.startswith("@"):
            head, text = text[1:].split(" ", 1)
            tags = dict((tag.split("=", 1) + [""])[:2] for tag in head.split(";"))
        if text.startswith(":"):
            source, text = text[1:].split(" ", 1)
        middle, *trailing = text.split(" :", 1)
        command, *params = middle.split()
        return cls(tags, source, command, params + trailing)


class LineIrc:
    """Connected, not signed in. `lines` holds all that came, oldest first."""

    def __init__(self, nick: str, port: int, ca=None):
        self.nick, self.lines, self._rest = nick, [], b""
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=WAIT_SECONDS_MAX)
        if ca:
            self.socket = ssl.create_default_context(cafile=str(ca)).wrap_socket(self.socket, server_hostname="im.test")

    def send(self, *lines: str):
        self.socket.sendall("".join(line + "\r\n" for line in lines).encode())

    def until(self, what: str, condition):
        """The first line, from the first that came, that condition() takes."""
        seen, end = 0, time.monotonic() + WAIT_SECONDS_MAX
        while True:
            for line in self.lines[seen:]:
                if condition(line):
                    return line
            seen = len(self.lines)
            if time.monotonic() > end or not self._receive():
                raise AssertionError(f"{self.nick}: no {what}; heard {self.lines[-15:]}")

    def until_command(self, command: str, *params: str):
        """`params` are the last ones of the line."""
        count = len(params)
        return self.until(f"{command} {params}", lambda l: l.command == command and (not count or tuple(l.params[-count:]) == params))

    def sign_in(self, *capabilities: str, account: str | None = None, password: str = ""):
        """Registers with these capabilities, and by SASL PLAIN where an account is given. Returns what CAP LS offered."""
        self.send("CAP LS 302", f"NICK {self.nick}", f"USER {self.nick} 0 * :{self.nick}")
        self.until("end of CAP LS", lambda l: l.command == "CAP" and l.params[1] == "LS" and len(l.params) == 3)
        offered = " ".join(l.params[-1] for l in self.lines if l.command == "CAP" and l.params[1] == "LS").split()
        wanted = " ".join([*capabilities, *(["sasl"] if account else [])])
        if wanted:
            self.send(f"CAP REQ :{wanted}")
            answer = self.until("CAP ACK", lambda l: l.command == "CAP" and l.params[1] in ("ACK", "NAK"))
            assert answer.params[1] == "ACK", answer
        if account:
            self.send("AUTHENTICATE PLAIN")
            self.until_command("AUTHENTICATE", "+")
            self.send("AUTHENTICATE " + base64.b64encode(f"{account}\0{account}\0{password}".encode()).decode())
            self.until("an answer to AUTHENTICATE", lambda l: l.command in ("903", "904"))
        self.send("CAP END")
        self.until_command("001")
        return dict((word.split("=", 1) + [""])[:2] for word in offered)

    def ping(self):
        """A round trip: what was sent before has been handled by the server."""
        token = f"t{time.monotonic_ns()}"
        self.send(f"PING {token}")
        self.until("pong", lambda l: l.command == "PONG" and token in l.params)

    def heard(self, text: str):
        """The PRIVMSG lines with this text."""
        return [l for l in self.lines if l.command == "PRIVMSG" and l.params[-1] == text]

    def quit(self):
        try:
            self.send("QUIT :bye")
        except OSError:
            pass
        self.socket.close()

    def _receive(self) -> bool:
        pending = isinstance(self.socket, ssl.SSLSocket) and self.socket.pending()
        if not pending and not select.select([self.socket], [], [], 0.5)[0]:
            return True
        octets = self.socket.recv(1 << 16)
        *whole, self._rest = (self._rest + octets).split(b"\r\n")
        for line in map(Line.parse, (text.decode() for text in whole)):
            if line.command == "PING":
                self.send(f"PONG :{line.params[-1]}")
            self.lines.append(line)
        return bool(octets)
