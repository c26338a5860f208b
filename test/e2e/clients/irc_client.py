"""A python3-irc client driven by its own reactor: `until` processes events until a fact holds."""
import ssl
import time

import irc.client
import irc.connection

WAIT_SECONDS_MAX = 30


class IrcClient:
    """Signed in after construction. `events` holds every event the library reported, oldest first."""

    def __init__(self, nick: str, port: int, ca=None, caps=(), address: str = "127.0.0.1", password: str | None = None):
        self.nick, self.events = nick, []
        self.reactor = irc.client.IRC()
        self.reactor.add_global_handler("all_events", lambda _, event: self.events.append(event), 10)
        if ca:
            context = ssl.create_default_context(cafile=str(ca))
            factory = irc.connection.Factory(wrapper=lambda sock: context.wrap_socket(sock, server_hostname="im.test"))
        else:
            factory = irc.connection.Factory()
        self.connection = self.reactor.server()
        self.connection.buffer_class.errors = "replace"
        self.connection.connect(address, port, nick, password=password, connect_factory=factory)
        if caps:
            self.connection.send_raw("CAP REQ :" + " ".join(caps))
            self.connection.send_raw("CAP END")
        self.until(lambda: self.saw("welcome"), "welcome")

    def saw(self, kind, text=None, target=None):
        """The first event of this type (with this last argument)."""
        for event in self.events:
            if event.type == kind and (text is None or (event.arguments and event.arguments[-1] == text)) and target in (None, event.target):
                return event
        return None

    def until(self, condition, what: str):
        end = time.monotonic() + WAIT_SECONDS_MAX
        while not condition():
            if time.monotonic() > end:
                seen = [(e.type, str(e.source), e.target, e.arguments) for e in self.events if e.type != "all_raw_messages"][-12:]
                raise AssertionError(f"{self.nick}: no {what} within {WAIT_SECONDS_MAX} s; saw {seen}")
            self.reactor.process_once(0.02)

    def until_text(self, text: str, kind="pubmsg"):
        self.until(lambda: self.saw(kind, text), f"{kind} {text!r}")
        return self.saw(kind, text)

    def join(self, channel: str):
        self.connection.join(channel)
        self.until(lambda: self.saw("endofnames"), f"names of {channel}")

    def ping(self):
        """A round trip: what was sent before has been handled by the server."""
        token = f"t{time.monotonic_ns()}"
        self.connection.ping(token)
        self.until(lambda: any(e.type == "pong" and token in e.arguments for e in self.events), "pong")

    def quit(self):
        self.connection.disconnect("bye")
