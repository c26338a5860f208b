"""XMPP inside HTTP: BOSH (XEP-0206) and WebSocket (RFC 7395)."""
import sys

from clients.purple import LineDriven
from recording import recording
from lab import FOLDER
from xmpp_peers import USERS, Prosody, Slixmpp, purple_jabber

ALICE, BOB = "alice@im.test", "bob@im.test"
WORDS = ["Said over the web", "Grüße aus dem Browser & <more>", "Said over the web"]


def _talk(truth, web, bob, address):
    for text in WORDS:
        seen = bob.client.texts().count(text)
        with truth.message(ALICE, BOB, text):
            web.tell(f"say {BOB} {text}")
            while bob.client.texts().count(text) == seen:
                bob.until(text)
    with truth.message(BOB, ALICE, "Heard in a plain stream"):
        bob.say(address, "Heard in a plain stream")
        web.until("in", "Heard in a plain stream")


@recording
def xmpp_bosh(lab, truth):
    """Prosody 0.12's mod_bosh without TLS, libpurple's BOSH and a slixmpp client in a plain stream"""
    server, one, two = lab.host(), lab.host(), lab.host()
    Prosody(lab, server, USERS)
    truth.application("Jabber", "im")
    with lab.capturing():
        alice = purple_jabber(lab, one, server.address, "alice", USERS["alice"], bosh_url=f"http://{server.address}:5280/http-bind")
        bob = Slixmpp(two, server.address, "bob", USERS["bob"], mechanism="SCRAM-SHA-1")
        truth.secrets += USERS.values()
        _talk(truth, alice, bob, f"{ALICE}/purple")
        alice.quit()
        bob.quit()


@recording
def xmpp_websocket(lab, truth):
    """Prosody 0.12's mod_websocket without TLS, nbxmpp (gajim's library) and a slixmpp client in a plain stream"""
    server, one, two = lab.host(), lab.host(), lab.host()
    Prosody(lab, server, USERS)
    truth.application("Jabber", "im")
    with lab.capturing():
        with one:
            alice = LineDriven([sys.executable, FOLDER / "nbxmpp_client.py", f"ws://{server.address}:5280/xmpp-websocket", ALICE,
                                USERS["alice"]], lab.folder)
        alice.until("signed-on")
        bob = Slixmpp(two, server.address, "bob", USERS["bob"], mechanism="SCRAM-SHA-1")
        truth.secrets += USERS.values()
        _talk(truth, alice, bob, f"{ALICE}/web")
        alice.quit()
        bob.quit()
