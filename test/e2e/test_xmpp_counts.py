"""XEP-0198 by position: what the gateway drops or adds before, between and after <r/>, <a/> and <resume/>, both ways.

Alice speaks through the gateway, octet by octet (clients/raw_xmpp.py); Bob is on the server itself. What moves the counts:

    refused   Alice's message, dropped on its way to the server; the error is added on the way to her
    noticed   Alice's first words to somebody: they pass; a notice is added on the way to her
    hidden    Bob's message, dropped on its way to Alice
    offered   Bob's file offer in an <iq/>, dropped on its way to Alice; the error is added on the way to the server
"""
import os
import random
import uuid

import pytest

from beds.gateway import Gateway
from clients.raw_xmpp import CLIENT, Gone, RawXmpp, acknowledgement, message, request
from conftest import USERS

POLICY = """
version: 1
name: counts
lexicon:
  rules:
    - {id: refused-words, action: refuse, terms: ["refuse-me-now"], notice: "Not delivered."}
notices:
  - {id: recorded, at: conversation, text: "This conversation is recorded."}
"""
OFFER = ("<iq type='set' id='{id}' to='{to}'><si xmlns='http://jabber.org/protocol/si' id='{id}' "
         "profile='http://jabber.org/protocol/si/profile/file-transfer'>"
         "<file xmlns='http://jabber.org/protocol/si/profile/file-transfer' name='refuse-me-now.txt' size='1'/>"
         "<feature xmlns='http://jabber.org/protocol/feature-neg'><x xmlns='jabber:x:data' type='form'>"
         "<field var='stream-method' type='list-single'><option><value>http://jabber.org/protocol/ibb</value></option></field>"
         "</x></feature></si></iq>")
RANDOM_RUNS = int(os.environ.get("CHANCERY_COUNT_RUNS", "4"))
STEPS = 60


@pytest.fixture(scope="module")
def gateway(xmpp_server, tmp_path_factory, authority):
    folder = tmp_path_factory.mktemp("gateway")
    (folder / "policy.yaml").write_text(POLICY)
    gateway = Gateway(folder, authority, folder / "policy.yaml")
    gateway.listen("starttls", "xmpp", "starttls", xmpp_server.starttls_port, "starttls")
    gateway.listen("direct", "xmpp", "direct", xmpp_server.direct_port, "direct")
    yield gateway.start()
    assert gateway.stop() == 0, gateway.process.tail()


class Dialogue:
    """Alice and Bob, and what each of them must have got in the end."""

    def __init__(self, gateway, server, listener="starttls"):
        self.gateway, self.server, self.listener = gateway, server, listener
        self.mark, self.number = uuid.uuid4().hex[:10], 0
        self.sent, self.base = [], 0  # Alice's stanzas since <enabled/>; how many of them she knows to be handled
        self.to_bob, self.to_alice, self.refusals, self.offers, self.strangers = [], [], [], [], []
        self.met, self.perhaps = set(), set()  # strangers to whom she wrote before a meeting; just before a cut
        self.heard = []  # by Alice, on connections that are gone
        self.bob = RawXmpp(server.starttls_port, gateway.authority.ca).authenticate("bob", USERS["bob"]).bind("r" + self.mark).appear()
        self.alice = self._connect().bind("r" + self.mark).enable()
        self.say("<presence/>")

    def _connect(self):
        return RawXmpp(self.gateway.ports[self.listener], self.gateway.authority.ca,
                       direct_tls=self.listener == "direct").authenticate("alice", USERS["alice"])

    def _name(self, kind):
        self.number += 1
        return f"{kind} {self.mark} {self.number}"

    # --- what Alice sends; the octets are returned so that a test can put them together in one write ----------------

    def stanza(self, octets: str) -> str:
        self.sent.append(octets)
        return octets

    def say(self, *octets: str):
        """All in one write."""
        self.alice.send(*[self.stanza(o) if not o.startswith(("<r ", "<a ")) else o for o in octets])

    def kept(self) -> str:
        self.to_bob.append(self._name("kept"))
        return message(self.bob.address, self.to_bob[-1], f"k{self.mark}{self.number}")

    def refused(self) -> str:
        self.refusals.append(f"x{self.mark}{self.number + 1}")
        return message(self.bob.address, self._name("refuse-me-now"), self.refusals[-1])

    def noticed(self) -> str:
        text = self._name("nobody")
        self.strangers.append(f"n{self.mark}{self.number}@im.test")
        return message(self.strangers[-1], text, f"n{self.mark}{self.number}")

    # --- what Bob sends ----------------------------------------------------------------------------------------------

    def tell(self):
        self.to_alice.append(self._name("told"))
        self.bob.send(message(self.alice_address, self.to_alice[-1], f"t{self.mark}{self.number}"))

    def hide(self):
        self.bob.send(message(self.alice_address, self._name("refuse-me-now hidden"), f"h{self.mark}{self.number}"))

    def offer(self):
        self.offers.append(f"o{self.mark}{self.number + 1}")
        self.number += 1
        self.bob.send(OFFER.format(id=self.offers[-1], to=self.alice_address))

    # --- counting ----------------------------------------------------------------------------------------------------

    @property
    def alice_address(self):
        return f"alice@im.test/r{self.mark}"

    def acknowledged(self, h: int):
        assert self.base <= h <= len(self.sent), f"h={h} of {len(self.sent)} sent, {self.base} acknowledged before"
        self.base = h

    def listen(self):
        """Takes what has come, and believes its acknowledgements."""
        while (element := self.alice.next()) is not None:
            if element.tag.endswith("}a"):
                self.acknowledged(int(element.get("h")))

    def meet(self):
        """A word each way, awaited: whatever was sent before has been handled by both ends."""
        self.say(self.kept())
        self.bob.until_text(self.to_bob[-1])
        self.tell()
        self.alice.until_text(self.to_alice[-1])
        self.met = set(self.strangers)

    def all_is_acknowledged(self):
        """The server's count, as the client is told it, is exactly what the client sent: dropped ones too."""
        self.meet()
        self.alice.send(request())
        while self.base < len(self.sent):
            self.acknowledged(self.alice.until_acknowledged())

    def cut(self):
        self.perhaps |= set(self.strangers) - self.met
        self.heard += self.alice.heard
        self.alice.cut()

    def resume(self, *behind: str):
        """On a new connection; sends again what was not handled, and `behind` with it in one write."""
        old = self.alice
        self.alice = self._connect()
        h = self.alice.resume(old.resumption_id, old.handled)
        assert h is not None, "the session could not be resumed"
        self.acknowledged(h)
        self.alice.address = old.address
        self.alice.send(*self.sent[h:], *[self.stanza(o) for o in behind])
        return self

    def end(self):
        """Both have got what they must have got: all of it, once, in order; each refusal and offer is answered."""
        self.all_is_acknowledged()
        texts = [e.findtext(CLIENT + "body") for e in self.heard + self.alice.heard if e.tag == CLIENT + "message" and e.get("type") != "error"]
        got = [t for t in texts if t and t.startswith("told " + self.mark)]
        # ejabberd sends what came during the resumption before what it kept from before it.
        order = list if self.server.name == "prosody" else sorted
        assert order(got) == order(self.to_alice), f"Alice got {got} of {self.to_alice}"
        got = [t for t in self.bob.texts() if self.mark in t]
        assert got == self.to_bob, f"Bob got {got} of {self.to_bob}"
        shown = [e.get("from") for e in self.heard + self.alice.heard if e.findtext(CLIENT + "body") == "This conversation is recorded."]
        shown = [f for f in shown if self.mark in f]
        # A notice that was due at the cut is not recorded as shown; it comes with the conversation's next message.
        assert len(shown) == len(set(shown)) and set(self.strangers) - self.perhaps <= set(shown) <= set(self.strangers), (shown, self.strangers)
        errors = [e.get("id") for e in self.heard + self.alice.heard if e.get("type") == "error"]
        assert sorted(e for e in errors if e in self.refusals) == sorted(self.refusals), "each refusal is told once"
        unanswered = set(self.offers) - {e.get("id") for e in self.bob.heard}
        while unanswered:
            unanswered.discard(self.bob.until(lambda e: e.get("id") in unanswered, "answer to an offer").get("id"))
        # An offer that the server sends again, because Alice had not acknowledged anything behind it, is refused again.
        assert {e.get("id") for e in self.bob.heard if e.get("id") in self.offers} == set(self.offers)
        self.alice.close()
        self.bob.close()
        return self

    def check_records(self):
        # What the server kept for Alice while she was away comes with a delay: history, since nobody saw its original.
        mine = [r for r in self.gateway.records() if r["kind"] in ("message", "history") and self.mark in (r["text"] or "")]
        texts = [r["text"] for r in mine]
        for text in self.to_bob + self.to_alice:
            assert texts.count(text) == 1, f"{text!r} is {texts.count(text)} times on the record"
        for record in mine:
            assert (record["verdict"] == "refuse") == record["text"].startswith("refuse-me-now"), record
            assert record["kind"] == "message" or record["direction"] == "in", record
        assert {r["id"] for r in mine if r["verdict"] == "refuse" and r["direction"] == "out"} == set(self.refusals)
        assert sorted(texts) == sorted(set(texts)), "nothing is on the record twice"


POSITIONS = ["before-r", "between-r-and-a", "after-a", "in-flight", "behind-resume", "after-resume", "before-second-r"]
ALL = tuple(POSITIONS)


@pytest.mark.parametrize("where", [(p,) for p in POSITIONS] + [ALL], ids="+".join)
def test_counts_of_what_alice_sends_survive_what_is_dropped_and_added(gateway, xmpp_server, where):
    dialogue = Dialogue(gateway, xmpp_server, "direct" if "in-flight" in where else "starttls")

    def at(position):
        return [dialogue.refused(), dialogue.noticed()] if position in where else []
    dialogue.say(dialogue.kept(), *at("before-r"), request(), *at("between-r-and-a"), dialogue.kept())
    dialogue.acknowledged(dialogue.alice.until_acknowledged())
    dialogue.say(dialogue.kept(), *at("after-a"))
    dialogue.meet()
    dialogue.say(dialogue.kept(), *at("in-flight"))
    dialogue.cut()
    dialogue.resume(*at("behind-resume"), dialogue.kept())
    dialogue.say(*at("after-resume"), dialogue.kept(), *at("before-second-r"), request())
    dialogue.end().check_records()


@pytest.mark.parametrize("where", [(p,) for p in POSITIONS] + [ALL], ids="+".join)
def test_counts_of_what_alice_receives_survive_what_is_dropped_and_added(gateway, xmpp_server, where):
    dialogue = Dialogue(gateway, xmpp_server, "direct" if "in-flight" in where else "starttls")

    def at(position):
        if position in where:
            dialogue.hide()
            dialogue.offer()
        dialogue.tell()
    at("before-r")
    dialogue.alice.until_text(dialogue.to_alice[-1])
    dialogue.alice.send(request())
    at("between-r-and-a")
    dialogue.alice.send(acknowledgement(dialogue.alice.handled))
    at("after-a")
    dialogue.alice.until_text(dialogue.to_alice[-1])
    dialogue.alice.send(acknowledgement(dialogue.alice.handled))
    at("in-flight")
    dialogue.cut()
    at("behind-resume")
    dialogue.resume()
    at("after-resume")
    dialogue.alice.until_text(dialogue.to_alice[-1])
    at("before-second-r")
    dialogue.end().check_records()


def test_one_who_is_only_answered_by_the_gateway_is_asked_how_much_he_has_got(gateway, xmpp_server):
    """Errors are kept until they are counted, so the gateway must ask for a count by itself."""
    dialogue = Dialogue(gateway, xmpp_server)
    dialogue.meet()
    dialogue.say(*[dialogue.refused() for _ in range(20)])
    dialogue.alice.until(lambda e: e.get("id") == dialogue.refusals[-1], "the last refusal")
    asked = [e for e in dialogue.alice.heard if e.tag.endswith("}r")]
    assert len(asked) >= 2, "nobody asked"
    dialogue.alice.send(acknowledgement(dialogue.alice.handled))
    dialogue.cut()
    dialogue.resume().end().check_records()


@pytest.mark.parametrize("run", range(RANDOM_RUNS))
def test_nothing_is_lost_or_doubled_whatever_happens_in_whatever_order(gateway, xmpp_server, run):
    seed = random.randrange(1 << 30)
    print("seed", seed)
    chance = random.Random(seed)
    dialogue = Dialogue(gateway, xmpp_server, chance.choice(["starttls", "direct"]))
    parts = [dialogue.kept, dialogue.refused, request, dialogue.noticed]

    def speak():
        made = []
        for _ in range(chance.randint(1, 6)):
            made.append(chance.choices(parts, [5, 4, 3, 1])[0]())
        dialogue.say(*made)

    def reconnect():
        dialogue.cut()
        for _ in range(chance.randint(0, 3)):
            chance.choice([dialogue.tell, dialogue.hide, dialogue.offer])()
        dialogue.resume()
    acts = [speak, dialogue.tell, dialogue.hide, dialogue.offer, dialogue.listen, dialogue.meet, reconnect,
            lambda: dialogue.alice.send(acknowledgement(dialogue.alice.handled))]
    for _ in range(STEPS):
        chance.choices(acts, [6, 4, 4, 1, 6, 2, 1.5, 3])[0]()
    dialogue.end().check_records()


@pytest.mark.parametrize("how", ["stopped", "killed"])
def test_a_restarted_gateway_refuses_the_resumption_and_accounts_for_the_session(gateway, xmpp_server, how):
    """What it had dropped and added is forgotten with the process, so the client binds anew (docs/protocols/xmpp.md)."""
    dialogue = Dialogue(gateway, xmpp_server)
    dialogue.say(dialogue.kept(), dialogue.refused(), dialogue.noticed(), dialogue.kept())
    dialogue.meet()
    dialogue.alice.send(acknowledgement(dialogue.alice.handled))
    dialogue.say(dialogue.kept())
    dialogue.bob.until_text(dialogue.to_bob[-1])
    if how == "killed":
        gateway.kill()
    else:
        assert gateway.stop() == 0
        with pytest.raises(Gone, match="system-shutdown"):
            dialogue.alice.until(lambda element: False, "the end")
    gateway.start()

    old = dialogue.alice
    dialogue.cut()
    dialogue.alice = dialogue._connect()
    assert dialogue.alice.resume(old.resumption_id, old.handled) is None
    refusal = dialogue.alice.heard[-1]
    assert refusal[0].tag.endswith("}item-not-found") and refusal.get("h") is None
    dialogue.alice.bind("r" + dialogue.mark).enable()
    dialogue.sent, dialogue.base = [], 0
    dialogue.say("<presence/>", dialogue.kept(), dialogue.refused(), request())
    dialogue.end().check_records()

    records = gateway.records()
    connection = next(r["connection"] for r in records if r["text"] == dialogue.to_bob[0])
    ends = [r for r in records if r["kind"] == "stream_close" and r["connection"] == connection]
    assert len(ends) == 1, ends
    counters = ends[0]["counters"]
    assert counters["read"] == sum(v for k, v in counters.items() if k != "read")
    assert counters["refused"] >= 1  # more where the server handed on what an earlier session had not acknowledged
    assert ends[0]["detail"] == ("the gateway ended uncleanly" if how == "killed" else "shutdown")
    assert bool(counters["unknown_after_crash"]) == (how == "killed")
