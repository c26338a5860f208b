"""IRC between ngircd, libpurple and python3-irc."""
from clients.irc_client import IrcClient
from clients.purple import Purple
from recording import recording

CONFIG = """
[Global]
Name = irc.im.test
Info = Recording
Listen = {address}
Ports = 6667
Password = server-pass-83
MotdPhrase = Recording
[Limits]
MaxConnectionsIP = 0
PingTimeout = 3600
[Options]
DNS = no
Ident = no
PAM = no
"""


def _client(host, server, nick):
    with host:
        return IrcClient(nick, 6667, address=server.address, password="server-pass-83")


@recording
def irc_clear(lab, truth):
    """ngircd 26, two python3-irc clients and libpurple's prpl-irc: channel, private, notice, action, DCC offer, topic"""
    server, one, two, three = (lab.host() for _ in range(4))
    config = lab.folder / "ngircd.conf"
    config.write_text(CONFIG.format(address=server.address))
    lab.serve(server, "ngircd", ["ngircd", "-n", "-f", config], 6667)
    truth.application("IRC", "im")
    truth.systems.append("irc.im.test")  # statistics, when a client quits
    with lab.capturing():
        alice, bob = _client(one, server, "alice"), _client(two, server, "bob")
        (lab.folder / "purple").mkdir()
        with three:
            carol = Purple(lab.folder / "purple", "prpl-irc", f"carol@{server.address}", "server-pass-83")
        carol.until("signed-on")
        for nick in ("alice", "bob", "carol"):
            truth.credential("irc", nick, "server-pass-83")
        alice.join("#tea")
        bob.join("#tea")
        carol.tell("join #tea")
        carol.until("joined #tea")
        with truth.message("alice", "#tea", "Hello everyone: tea?", legs=3) as text:
            alice.connection.privmsg("#tea", text)
            bob.until_text(text)
            carol.until("chat", text)
        with truth.message("carol", "#tea", "Grüße, ich hätte gern Kaffee ☕", legs=3) as text:
            carol.tell(f"chat #tea {text}")
            alice.until_text(text)
            bob.until_text(text)
        with truth.message("bob", "#tea", "pours two cups", legs=3) as text:
            bob.connection.action("#tea", text)
            alice.until_text(text, "action")
            carol.until("chat", text)
        with truth.message("alice", "bob", "Only for you") as text:
            alice.connection.privmsg("bob", text)
            bob.until_text(text, "privmsg")
        with truth.message("bob", "alice", "A notice, no answer expected") as text:
            bob.connection.notice("alice", text)
            alice.until_text(text, "privnotice")
        with truth.message("carol", "alice", "Can you hear me?") as text:
            carol.tell(f"say alice {text}")
            alice.until_text(text, "privmsg")
        with truth.message("alice", "bob", ""):
            alice.connection.ctcp("DCC", "bob", "SEND notes.txt 168230914 5000 1234")
            bob.until(lambda: any(event.type == "ctcp" for event in bob.events), "the offer")
        alice.connection.topic("#tea", "Tea, and now coffee")
        bob.until(lambda: bob.saw("topic"), "topic")
        alice.ping()
        carol.quit()
        alice.quit()
        bob.quit()
