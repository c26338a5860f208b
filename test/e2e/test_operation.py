"""What an operator does to a running gateway, with people connected: reload; and a journal that cannot write."""
import re
import resource
import signal
import urllib.request
import uuid

import pytest

from beds.gateway import Gateway
from beds.inspircd import Inspircd
from beds.process import wait_until
from beds.prosody import Prosody
from clients.raw_irc import RawIrc
from clients.raw_xmpp import Gone, RawXmpp, message
from conftest import USERS, _let_servers_in

POLICY = "version: 1\nname: {name}\nlexicon:\n  rules:\n    - {{id: words, action: refuse, terms: [\"{word}\"], notice: \"Not {word}.\"}}\n"


@pytest.fixture(scope="module")
def servers(tmp_path_factory, authority):
    folder = tmp_path_factory.mktemp("servers")
    _let_servers_in(folder)
    for name in ("prosody", "inspircd"):
        (folder / name).mkdir()
    prosody = Prosody(folder / "prosody", authority).start(USERS)
    inspircd = Inspircd(folder / "inspircd", authority).start()
    yield prosody, inspircd
    prosody.stop()
    inspircd.stop()


@pytest.fixture
def gateway(servers, tmp_path, authority):
    prosody, inspircd = servers
    gateway = Gateway(tmp_path, authority, tmp_path / "policy.yaml")
    gateway.policy.write_text(POLICY.format(name="first", word="forbidden-one"))
    gateway.listen("xmpp", "xmpp", "starttls", prosody.direct_port, "direct")
    gateway.listen("irc", "irc", "none", inspircd.plain_port, "none")
    gateway.overrides["limits"] = {"rate_units_per_second": 0, "drain_seconds": 5}
    yield gateway
    gateway.stop()


def metrics(gateway):
    text = urllib.request.urlopen(f"http://127.0.0.1:{gateway.metrics_port}/metrics", timeout=10).read().decode()
    return {name: float(value) for name, value in re.findall(r"^([a-z_]+(?:\{[^}]*\})?) (\S+)$", text, re.M)}


def reload(gateway, result):
    """SIGHUP, and waits until it is counted as `result`."""
    name = f'chancery_reloads_total{{result="{result}"}}'
    before = metrics(gateway)[name]
    gateway.process.child.send_signal(signal.SIGHUP)
    wait_until(lambda: metrics(gateway)[name] > before, f"a reload that is {result}", 20, 0.05)


def xmpp(gateway, user):
    return RawXmpp(gateway.ports["xmpp"], gateway.authority.ca).authenticate(user, USERS[user]).bind(uuid.uuid4().hex[:8]).appear()


def irc_pair(gateway):
    name = uuid.uuid4().hex[:6]
    pair = [RawIrc(gateway.ports["irc"], f"{who}{name}", False) for who in "ab"]
    for client in pair:
        client.await_welcome()
    return pair


def says(speaker, receiver, text):
    """On IRC, awaited."""
    speaker.send(f"PRIVMSG {receiver.nick} :{text}")
    wait_until(lambda: receiver.receive(0.5) is not None and text in receiver.heard(), f"{text!r}", 20, 0)


def test_a_reload_changes_policy_and_listeners_and_drops_nobody(gateway):
    gateway.start()
    alice, bob, (ann, ben) = xmpp(gateway, "alice"), xmpp(gateway, "bob"), irc_pair(gateway)
    says(ann, ben, "forbidden-two is fine")
    gateway.policy.write_text(POLICY.format(name="second", word="forbidden-two"))
    second = gateway.listen("more-irc", "irc", "none", int(gateway.listeners[1]["route"]["address"].rpartition(":")[2]), "none")
    gateway.write_config()
    reload(gateway, "applied")

    alice.send(message(bob.address, "forbidden-two", "m1"), message(bob.address, "forbidden-one is fine now", "m2"))
    refusal = alice.until(lambda e: e.get("id") == "m1")
    assert refusal.get("type") == "error" and "Not forbidden-two." in "".join(refusal.itertext())
    bob.until_text("forbidden-one is fine now")
    assert "forbidden-two" not in bob.texts()
    says(ann, ben, "still here")
    RawIrc(second, "newcomer").socket.close()
    assert metrics(gateway)["chancery_connections"] >= 4
    for client in (alice, bob):
        client.close()
    assert gateway.stop() == 0
    records = gateway.records()
    assert len([r for r in records if r["kind"] == "policy_change"]) == 1
    revisions = {r["text"]: r["policy_revision"] for r in records if r["kind"] == "message"}
    assert revisions["forbidden-two is fine"] != revisions["forbidden-two"] == revisions["still here"]


@pytest.mark.parametrize("what, change", [
    ("what cannot change", lambda text: text.replace("site: test", "site: other", 1)),
    ("a certificate that is not there", lambda text: text.replace("gateway.crt", "nothing.crt", 1)),
], ids=["site", "certificate"])
def test_a_bad_file_is_refused_whole_and_the_old_one_stays(gateway, what, change):
    gateway.start()
    ann, ben = irc_pair(gateway)
    path = gateway.write_config()
    path.write_text(change(path.read_text()))
    gateway.policy.write_text(POLICY.format(name="second", word="forbidden-two"))
    reload(gateway, "refused")
    says(ann, ben, "forbidden-two is fine")
    ann.send(f"PRIVMSG {ben.nick} :forbidden-one")
    says(ann, ben, "after it")
    assert "forbidden-one" not in ben.heard()
    assert gateway.stop() == 0


# --- the journal cannot write -----------------------------------------------------------------------------------------


def stop_writing(gateway):
    """No file of the gateway may grow beyond a little more than the segment is now, as on a full disk."""
    size = max(path.stat().st_size for path in gateway.archive.rglob("segments/*.seg"))
    resource.prlimit(gateway.process.child.pid, resource.RLIMIT_FSIZE, (size + 65536,) * 2)


def talk_until(speaker, receiver, condition):
    """Numbered lines until the condition holds; how many were said."""
    for number in range(20_000):
        if condition():
            return number
        try:
            speaker.send(f"PRIVMSG {receiver.nick} :line {number} " + "z" * 300)
            receiver.receive(0)
        except OSError:
            return number
    raise AssertionError("it never happened")


@pytest.fixture
def limited(gateway):
    # A write beyond the limit is to fail (EFBIG), not to kill.
    gateway.wrapper = ["env", "--ignore-signal=XFSZ"]
    return gateway


def test_a_journal_that_cannot_write_refuses_or_alarms_as_each_listener_says(limited):
    limited.listeners[1]["on_journal_failure"] = "forward-and-alarm"
    limited.start()
    alice, bob, (ann, ben) = xmpp(limited, "alice"), xmpp(limited, "bob"), irc_pair(limited)
    alice.send(message(bob.address, "recorded", "r1"))
    bob.until_text("recorded")
    stop_writing(limited)
    talk_until(ann, ben, lambda: metrics(limited)["chancery_journal_failed"] == 1)

    for client in (alice, bob):
        with pytest.raises(Gone, match="internal-server-error"):
            client.until(lambda element: False, "the end")
    with pytest.raises((Gone, OSError)):
        xmpp(limited, "carol")
    says(ann, ben, "unrecorded, but said")
    assert metrics(limited)["chancery_unrecorded_total"] > 0
    assert limited.process.child.poll() is None
    alarm = limited.process.log.read_text(errors="replace")
    assert "the journal failed" in alarm and "unrecorded, but said" not in alarm
    assert limited.stop() in (0, 1)

    limited.start()
    assert limited.stop() == 0
    records = limited.records()
    said = [r["text"] for r in records if r["kind"] == "message"]
    assert "recorded" in said and "unrecorded, but said" not in said
    assert [r for r in records if r["kind"] in ("outage", "gap")], "the outage is on the record"
    done = limited.verify("--key", limited.vkey())
    assert done.returncode == 0, done.stdout + done.stderr
