"""A slixmpp client that remembers what it saw, for scenarios that await facts instead of sleeping."""
import asyncio
import ssl

import slixmpp
from slixmpp.xmlstream import ET

WAIT_SECONDS_MAX = 30
PLUGINS = ["xep_0030", "xep_0045", "xep_0059", "xep_0198", "xep_0199", "xep_0203", "xep_0280", "xep_0297", "xep_0308", "xep_0313",
           "xep_0334", "xep_0359", "xep_0422", "xep_0424", "xep_0444"]


class XmppClient(slixmpp.ClientXMPP):
    """Connect with `await XmppClient(...).sign_in()`; `messages` holds every message stanza that arrived."""

    def __init__(self, user: str, password: str, port: int, ca, resource: str = "one", direct_tls: bool = False,
                 stream_management: bool = True):
        super().__init__(f"{user}@im.test/{resource}", password)
        self.port, self.direct_tls = port, direct_tls
        self.ca_certs = str(ca)
        self.messages, self.failures, self.carbons, self.disconnections = [], [], [], 0
        self.signed_in = asyncio.Event()
        self._changed = asyncio.Condition()
        for plugin in PLUGINS:
            if plugin != "xep_0198" or stream_management:
                self.register_plugin(plugin)
        self.add_event_handler("session_start", self._on_session)
        self.add_event_handler("message", lambda m: self._note(self.messages, m))
        self.add_event_handler("message_error", lambda m: self._note(self.failures, m))
        self.add_event_handler("carbon_received", lambda m: self._note(self.carbons, m["carbon_received"]))
        self.add_event_handler("carbon_sent", lambda m: self._note(self.carbons, m["carbon_sent"]))
        self.add_event_handler("groupchat_subject", lambda m: self._note(self.messages, m))
        for event in ("failed_auth", "failed_all_auth", "stream_error", "connection_failed", "disconnected", "session_resumed"):
            self.add_event_handler(event, lambda what, event=event: self._note(self.failures if event != "session_resumed" else self.messages, (event, what)))

    def _note(self, where, what):
        where.append(what)
        asyncio.ensure_future(self._notify())

    async def _notify(self):
        async with self._changed:
            self._changed.notify_all()

    async def _on_session(self, _):
        self.send_presence()
        await self.get_roster()
        self.signed_in.set()
        await self._notify()

    async def sign_in(self):
        self.dial()
        await self.until(self.signed_in.is_set, "sign-in")
        return self

    def dial(self):
        self.connect(("127.0.0.1", self.port), use_ssl=self.direct_tls, force_starttls=not self.direct_tls, disable_starttls=self.direct_tls)

    def get_ssl_context(self):
        context = ssl.create_default_context(cafile=self.ca_certs)
        context.check_hostname = False  # the name is im.test, the address is loopback: checked against the CA only
        self.ssl_context = context
        return context

    async def until(self, condition, what: str):
        async def loop():
            async with self._changed:
                while not condition():
                    try:
                        await asyncio.wait_for(self._changed.wait(), 0.5)
                    except asyncio.TimeoutError:
                        pass
        try:
            await asyncio.wait_for(loop(), WAIT_SECONDS_MAX)
        except asyncio.TimeoutError:
            raise AssertionError(f"{self.boundjid}: no {what} within {WAIT_SECONDS_MAX} s; saw {[str(m) for m in self.messages[-5:]]} {[str(f) for f in self.failures[-5:]]}")

    async def until_text(self, text: str, **fields):
        """The first message with this body (and these stanza fields); awaits it."""
        def find():
            for message in self.messages:
                if isinstance(message, tuple) or message["body"] != text:
                    continue
                if all(str(message[key]) == value for key, value in fields.items()):
                    return message
            return None
        await self.until(find, f"message {text!r}")
        return find()

    def texts(self):
        return [m["body"] for m in self.messages if not isinstance(m, tuple) and m["body"]]

    def say(self, to: str, text: str, kind: str = "chat", id: str | None = None) -> str:
        """Sends a message and returns its stanza id."""
        message = self.make_message(mto=to, mbody=text, mtype=kind)
        message["id"] = id or self.new_id()
        message.send()
        return message["id"]

    def say_xml(self, to: str, id: str, *children: str, kind: str = "chat"):
        """Sends a message made of literal child elements, for what slixmpp has no plugin."""
        message = self.make_message(mto=to, mtype=kind)
        message["id"] = id
        for child in children:
            message.append(ET.fromstring(child))
        message.send()

    async def join(self, room: str, nick: str):
        self.plugin["xep_0045"].join_muc(room, nick)
        await self.until(lambda: nick in self.plugin["xep_0045"].get_roster(room) if room in self.plugin["xep_0045"].rooms else False, f"own presence in {room}")

    async def sign_out(self):
        await self.disconnect(wait=2)

    def cut(self):
        """The network goes away: no goodbye."""
        if self.transport:
            self.transport.abort()


async def ping(client: XmppClient):
    """A round trip: what was sent before has been handled by the server."""
    await client.plugin["xep_0199"].ping(client.boundjid.host, timeout=WAIT_SECONDS_MAX)
