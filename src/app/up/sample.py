"""A sample conversation through the gateway, by a real client (slixmpp). Arguments: people file, port, CA file, domain.
Exits 0 when all was said, 3 when slixmpp is not installed."""
import asyncio
import ssl
import sys

try:
    import slixmpp
except ImportError:
    sys.exit(3)

WAIT_SECONDS_MAX = 30


class Person(slixmpp.ClientXMPP):
    def __init__(self, name, password, port, ca, domain):
        super().__init__(f"{name}@{domain}/sample", password)
        self.port, self.ca, self.heard = port, ca, asyncio.Queue()
        self.ready = asyncio.Event()
        self.register_plugin("xep_0045")
        self.add_event_handler("session_start", self.on_session)
        self.add_event_handler("message", self.heard.put_nowait)
        self.add_event_handler("message_error", self.heard.put_nowait)

    def get_ssl_context(self):
        context = ssl.create_default_context(cafile=self.ca)
        context.check_hostname = False  # the gateway's certificate is checked against the private authority
        self.ssl_context = context
        return context

    async def on_session(self, _):
        self.send_presence()
        await self.get_roster()
        self.ready.set()

    async def sign_in(self):
        self.connect(("127.0.0.1", self.port), force_starttls=True)
        await asyncio.wait_for(self.ready.wait(), WAIT_SECONDS_MAX)
        return self

    def say(self, to, text, kind="chat"):
        message = self.make_message(mto=to, mbody=text, mtype=kind)
        message["id"] = self.new_id()
        message.send()

    async def hears(self, what):
        """Awaits a message whose body or error holds `what`."""
        while True:
            message = await asyncio.wait_for(self.heard.get(), WAIT_SECONDS_MAX)
            if what in str(message):
                return

    async def joins(self, room, nick):
        self.plugin["xep_0045"].join_muc(room, nick)
        while nick not in (self.plugin["xep_0045"].rooms.get(room) or {}):
            await asyncio.sleep(0.02)


async def talk(people_file, port, ca, domain):
    passwords = dict(line.split() for line in open(people_file))
    alice, bob, carol = [await Person(name, passwords[name], int(port), ca, domain).sign_in() for name in ("alice", "bob", "carol")]
    alice.say(f"bob@{domain}", "Good morning Bob, have you seen the budget for the spring campaign?")
    await bob.hears("spring campaign")
    bob.say(f"alice@{domain}", "Yes. We stay under 40,000, and Carol has the details.")
    await alice.hears("Carol has the details")
    room = f"campaign@conference.{domain}"
    for person, nick in ((alice, "Alice"), (bob, "Bob"), (carol, "Carol")):
        await person.joins(room, nick)
    carol.say(room, "The printer confirmed. Flyers arrive on Thursday.", "groupchat")
    await alice.hears("Flyers arrive")
    await bob.hears("Flyers arrive")
    bob.say(f"alice@{domain}", "Between us: returns are guaranteed, nobody can lose.")
    await alice.hears("nobody can lose")
    bob.say(f"carol@{domain}", "The codename is nightingale, keep it to yourself.")
    await carol.hears("keep it to yourself")
    carol.say(f"alice@{domain}", "Here is the password list for the till.")
    await carol.hears("type=\"error\"")
    for person in (alice, bob, carol):
        await person.disconnect(wait=2)


asyncio.run(talk(*sys.argv[1:5]))
