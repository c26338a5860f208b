"""Other real clients through the gateway, unchanged: libpurple, go-sendxmpp, mcabber, weechat; and jabberd2 as a server.
What each supports is the table in docs/guide/clients.md."""
import asyncio
import os
import pathlib
import pty
import subprocess
import uuid

import pytest

from beds.gateway import Gateway
from beds.jabberd2 import Jabberd2
from beds.process import wait_until
from clients.irc_client import IrcClient
from clients.purple import HELPER, Purple
from clients.xmpp import XmppClient, ping
from conftest import USERS, _let_servers_in
from test_xmpp import mark, one



async def hearing(gateway, user, act, text):
    """`user` is signed in by slixmpp while act() runs; returns when `text` has reached him."""
    client = await XmppClient(user, USERS[user], gateway.ports["starttls"], gateway.authority.ca).sign_in()
    try:
        await asyncio.get_running_loop().run_in_executor(None, act)
        await client.until_text(text)
        await ping(client)
    finally:
        await client.sign_out()


def check(gateway, text, sender, *receivers):
    """`text` is on the record once, from `sender`, and was delivered to `receivers`, each once. XMPP: bare addresses."""
    record = one(gateway.said(text), text)
    assert record["from"].split("/")[0] == sender, record
    delivered = gateway.deliveries_of(record, len(receivers))
    assert sorted(d["to"][0].split("/")[0] for d in delivered) == sorted(receivers), delivered
    return record


@pytest.mark.skipif(not HELPER.exists(), reason="libpurple is not installed")
def test_libpurple_talks_xmpp(xmpp_gateway, tmp_path):
    text = mark("purple")
    purple = Purple(tmp_path, "prpl-jabber", "alice@im.test/purple", USERS["alice"], xmpp_gateway.certificate[0],
                    connect_server="localhost", port=xmpp_gateway.ports["starttls"])
    try:
        purple.until("signed-on")

        async def scenario():
            bob = await XmppClient("bob", USERS["bob"], xmpp_gateway.ports["starttls"], xmpp_gateway.authority.ca).sign_in()
            purple.tell(f"say bob@im.test {text}")
            await bob.until_text(text)
            bob.say("alice@im.test/purple", text + " back")
            await ping(bob)
            await bob.sign_out()
        asyncio.run(scenario())
        purple.until("in", text + " back")
        refused = text + " refuse-me-now"
        purple.tell(f"say bob@im.test {refused}")
        # libpurple shows the error in the conversation's window, which this client has not; the record tells.
        wait_until(lambda: xmpp_gateway.said(refused), "the refused message on the record", 20, 0.2)
    finally:
        purple.quit()
    check(xmpp_gateway, text, "alice@im.test", "bob@im.test")
    check(xmpp_gateway, text + " back", "bob@im.test", "alice@im.test")
    assert one(xmpp_gateway.said(refused), refused)["verdict"] == "refuse"


def test_go_sendxmpp_sends(xmpp_gateway, needs):
    needs("go-sendxmpp")
    for extra, listener in (([], "starttls"), (["-t"], "direct")):
        text = mark("go")

        def send():
            # The password goes by a file of its own: argv is public.
            rc = xmpp_gateway.folder / "sendxmpprc"
            rc.write_text(f"username: alice@im.test\npassword: {USERS['alice']}\njserver: 127.0.0.1:{xmpp_gateway.ports[listener]}\n")
            rc.chmod(0o600)
            done = subprocess.run(["go-sendxmpp", "-f", rc, *extra, "bob@im.test"], input=text, text=True, capture_output=True, timeout=60,
                                  env=dict(os.environ, SSL_CERT_FILE=str(xmpp_gateway.authority.ca)))
            assert done.returncode == 0, done.stdout + done.stderr
            rc.unlink()
        asyncio.run(hearing(xmpp_gateway, "bob", send, text))
        check(xmpp_gateway, text, "alice@im.test", "bob@im.test")


def test_mcabber_sends_and_receives(xmpp_gateway, needs, tmp_path):
    needs("mcabber")
    text, fifo, log = mark("mcabber"), tmp_path / "fifo", tmp_path / "events.log"
    config = tmp_path / "mcabberrc"
    config.write_text(f"module load fifo\nset jid = carol@im.test\nset password = {USERS['carol']}\nset server = 127.0.0.1\n"
                      f"set port = {xmpp_gateway.ports['starttls']}\nset tls = 1\nset ssl_ignore_checks = 1\n"
                      f"set fifo_name = {fifo}\nset logging = 1\nset logging_dir = {tmp_path}\nset tracelog_level = 1\nset tracelog_file = {log}\n")
    config.chmod(0o600)
    master, slave = pty.openpty()
    child = subprocess.Popen(["mcabber", "-f", config], stdin=slave, stdout=slave, stderr=slave, cwd=tmp_path, start_new_session=True,
                             env=dict(os.environ, TERM="xterm", HOME=str(tmp_path)))
    try:
        wait_until(fifo.exists, "mcabber's fifo", 20)

        def tell(line):
            with open(fifo, "w") as pipe:
                pipe.write(line + "\n")

        def signed_in():
            os.set_blocking(master, False)
            try:
                while os.read(master, 65536):
                    pass
            except OSError:
                pass
            return any(r["kind"] == "sign_in" and r["accepted"] and "carol@im.test" in str(r["from"]) for r in xmpp_gateway.records())
        wait_until(signed_in, "mcabber's sign-in", 30, 0.3)
        asyncio.run(hearing(xmpp_gateway, "bob", lambda: tell(f"/say_to -q bob@im.test {text}"), text))
    finally:
        child.kill()  # it may hang in its terminal, which nobody reads any more
        child.wait()
        os.close(master)
        os.close(slave)
    check(xmpp_gateway, text, "carol@im.test", "bob@im.test")


def test_weechat_talks_irc(irc_gateway, needs, tmp_path):
    needs("weechat-headless")
    text, channel, nick = mark("weechat"), f"#w{uuid.uuid4().hex[:6]}", f"w{uuid.uuid4().hex[:6]}"
    (tmp_path / "ca").mkdir()
    ca = tmp_path / "ca" / "ca.pem"
    ca.write_bytes(irc_gateway.authority.ca.read_bytes())
    commands = ["/set weechat.startup.display_version off", f"/set weechat.network.gnutls_ca_user {ca}",
                f"/server add t localhost/{irc_gateway.ports['direct']} -ssl -nicks={nick} -autojoin={channel}", "/connect t"]
    argv = ["weechat-headless", "-d", tmp_path / "weechat"]
    for command in commands:
        argv += ["-r", command]
    child = subprocess.Popen([str(a) for a in argv], cwd=tmp_path, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                             env=dict(os.environ, HOME=str(tmp_path), XDG_RUNTIME_DIR=str(tmp_path)))
    ann = IrcClient(f"ann{uuid.uuid4().hex[:5]}", irc_gateway.ports["direct"], irc_gateway.authority.ca)
    try:
        ann.join(channel)
        ann.until(lambda: any((e.type == "join" or e.type == "namreply") and (nick in str(e.source) or nick in str(e.arguments)) for e in ann.events), f"{nick} in {channel}")
        fifo = wait_until(lambda: next(tmp_path.rglob("weechat_fifo_*"), None), "weechat's fifo", 20)
        # By the core buffer: the channel's own may not be there yet when others already see the join.
        pathlib.Path(fifo).write_text(f"core.weechat */msg -server t {channel} {text}\n")
        ann.until_text(text)
        ann.connection.privmsg(channel, text + " back")
        ann.ping()
        wait_until(lambda: irc_gateway.said(text + " back"), "the answer on the record", 20, 0.2)
    finally:
        ann.quit()
        child.kill()
        child.wait()
    check(irc_gateway, text, nick, ann.nick)
    check(irc_gateway, text + " back", ann.nick, nick)


@pytest.mark.skipif(not HELPER.exists(), reason="libpurple is not installed")
def test_libpurple_talks_irc(irc_gateway, tmp_path):
    text, channel = mark("purple"), f"#p{uuid.uuid4().hex[:6]}"
    tag = uuid.uuid4().hex[:5]
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    a = Purple(tmp_path / "a", "prpl-irc", f"pa{tag}@localhost", "", irc_gateway.certificate[0], port=irc_gateway.ports["direct"], ssl=True)
    b = Purple(tmp_path / "b", "prpl-irc", f"pb{tag}@localhost", "", port=irc_gateway.ports["plain"])
    try:
        for client in (a, b):
            client.until("signed-on")
            client.tell(f"join {channel}")
            client.until("joined")
        a.tell(f"chat {channel} {text}")
        b.until("chat", text)
        b.tell(f"say pa{tag} {text} query")
        a.until("in", text + " query")
    finally:
        a.quit()
        b.quit()
    assert check(irc_gateway, text, f"pa{tag}", f"pb{tag}")["room"] == channel
    check(irc_gateway, text + " query", f"pb{tag}", f"pa{tag}")


def test_jabberd2_as_the_server(tmp_path_factory, authority):
    folder = tmp_path_factory.mktemp("jabberd2")
    _let_servers_in(folder)
    server = Jabberd2(folder, authority)
    gateway = Gateway(tmp_path_factory.mktemp("gateway"), authority)
    try:
        server.start(USERS)
        gateway.listen("starttls", "xmpp", "starttls", server.starttls_port, "starttls")
        gateway.start()
        text = mark("jabberd")

        async def scenario():
            options = dict(stream_management=False)
            alice = await XmppClient("alice", USERS["alice"], gateway.ports["starttls"], authority.ca, **options).sign_in()
            bob = await XmppClient("bob", USERS["bob"], gateway.ports["starttls"], authority.ca, **options).sign_in()
            alice.say("bob@im.test", text)
            await bob.until_text(text)
            await bob.sign_out()
            alice.say("bob@im.test", text + " offline")
            await ping(alice)
            bob = await XmppClient("bob", USERS["bob"], gateway.ports["starttls"], authority.ca, **options).sign_in()
            await bob.until_text(text + " offline")
            await ping(bob)
            await bob.sign_out()
            await alice.sign_out()
        asyncio.run(scenario())
        check(gateway, text, "alice@im.test", "bob@im.test")
        check(gateway, text + " offline", "alice@im.test", "bob@im.test")
    finally:
        gateway.stop()
        server.stop()
