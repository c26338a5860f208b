"""XMPP between Prosody, slixmpp and libpurple."""
from recording import recording
from xmpp_peers import ROOM, USERS, Prosody, Slixmpp, purple_jabber

ALICE, BOB = "alice@im.test", "bob@im.test"


def _kitchen(nick):
    return f"{ROOM}/{nick}"


@recording
def xmpp_clear(lab, truth):
    """Prosody 0.12, two slixmpp clients: SASL PLAIN and SCRAM without TLS, direct messages, a room, a correction"""
    server, one, two = lab.host(), lab.host(), lab.host()
    Prosody(lab, server, USERS)
    truth.application("Jabber", "im")
    with lab.capturing():
        alice = Slixmpp(one, server.address, "alice", USERS["alice"])
        bob = Slixmpp(two, server.address, "bob", USERS["bob"], mechanism="SCRAM-SHA-1")
        truth.credential("xmpp", ALICE, USERS["alice"])
        for text in ("Hello Bob, are you <there> & \"well\"?", "Zweite Zeile: Grüße, 東京 👋"):
            with truth.message(ALICE, BOB, text):
                alice.say(BOB, text)
                bob.until(text)
        with truth.message(BOB, ALICE, "Yes.\nTwo lines, even."):
            bob.say(ALICE, "Yes.\nTwo lines, even.")
            alice.until("Yes.\nTwo lines, even.")
        with truth.message(ALICE, BOB, "Meet me at noom"):
            first = alice.say(BOB, "Meet me at noom")
            bob.until("Meet me at noom")
        with truth.message(ALICE, BOB, "Meet me at noon"):
            alice.say_xml(BOB, "fix1", "<body xmlns='jabber:client'>Meet me at noon</body>",
                          f"<replace xmlns='urn:xmpp:message-correct:0' id='{first}'/>")
            bob.until("Meet me at noon")
        alice.join(ROOM, "Ali")
        bob.join(ROOM, "Bobby")
        for speaker, listener, name, text in ((alice, bob, _kitchen("Ali"), "Who made the tea?"), (bob, alice, _kitchen("Bobby"), "I did.")):
            with truth.message(name, ROOM, text, legs=3):
                speaker.say(ROOM, text, kind="groupchat")
                listener.until(text)
                speaker.until(text)
        with truth.message(_kitchen("Bobby"), _kitchen("Ali"), "Between us: it was cold."):
            bob.say(_kitchen("Ali"), "Between us: it was cold.")
            alice.until("Between us: it was cold.")
        alice.quit()
        bob.quit()


@recording
def xmpp_libpurple(lab, truth):
    """Prosody 0.12, libpurple's prpl-jabber and slixmpp, without TLS; the same words twice are two messages"""
    server, one, two = lab.host(), lab.host(), lab.host()
    Prosody(lab, server, USERS)
    truth.application("Jabber", "im")
    with lab.capturing():
        alice = purple_jabber(lab, one, server.address, "alice", USERS["alice"])
        bob = Slixmpp(two, server.address, "bob", USERS["bob"], mechanism="SCRAM-SHA-1")
        truth.secrets.append(USERS["alice"])
        for text in ("One and the same", "One and the same", "And another one: 1 < 2 & 2 > 1"):
            with truth.message(ALICE, BOB, text):
                seen = bob.client.texts().count(text)
                alice.tell(f"say {BOB} {text}")
                while bob.client.texts().count(text) == seen:
                    bob.until(text)
        with truth.message(BOB, ALICE, "Right you are"):
            bob.say(f"{ALICE}/purple", "Right you are")
            alice.until("in", "Right you are")
        alice.quit()
        bob.quit()


@recording
def xmpp_starttls(lab, truth):
    """Prosody 0.12, two slixmpp clients over STARTTLS: named, and nothing read"""
    server, one, two = lab.host(), lab.host(), lab.host()
    prosody = Prosody(lab, server, USERS, tls=True)
    truth.application("Jabber", "im")
    with lab.capturing():
        alice = Slixmpp(one, server.address, "alice", USERS["alice"], ca=prosody.authority.ca)
        bob = Slixmpp(two, server.address, "bob", USERS["bob"], ca=prosody.authority.ca)
        truth.secrets += USERS.values()
        truth.hidden.append("Nobody else shall read this")
        alice.say(BOB, truth.hidden[0])
        bob.until(truth.hidden[0])
        alice.quit()
        bob.quit()
