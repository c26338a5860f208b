"""`config check` against real servers, and what it warns of: clients that could bind to a TLS channel (RFC 5802 §6)."""
import json
import subprocess

import pytest

from beds import gateway as gateway_bed
from beds.gateway import Gateway
from beds.process import free_port, wait_until
from clients.raw_xmpp import Gone, RawXmpp
from conftest import USERS, XMPP_SERVERS, _let_servers_in

# What an operator must be told to change.
SETTINGS = {"prosody": 'ssl = { protocol = "tlsv1_2+" }', "ejabberd": "disable_sasl_mechanisms: [SCRAM-SHA-1-PLUS, SCRAM-SHA-256-PLUS, SCRAM-SHA-512-PLUS]"}


class Bed:
    """One server and a gateway before it that is configured and, unless a test starts it, not running."""

    def __init__(self, name, binding, folder, authority):
        for part in (name, "gateway"):
            (folder / part).mkdir()
        self.server = XMPP_SERVERS[name](folder / name, authority, channel_binding=binding).start({"alice": USERS["alice"]})
        self.gateway = Gateway(folder / "gateway", authority)
        self.gateway.listen("starttls", "xmpp", "starttls", self.server.starttls_port, "starttls")
        self.gateway.listen("direct", "xmpp", "direct", self.server.direct_port, "direct")
        # ejabberd opens its ports before it serves its hosts.
        wait_until(self.answers, f"a stream with {name}", 60, 0.1)

    def answers(self):
        try:
            RawXmpp(self.server.direct_port, self.gateway.authority.ca, direct_tls=True).close()
            return True
        except (Gone, OSError):
            return False

    def check(self, *more):
        return subprocess.run([gateway_bed.BINARY, "config", "check", self.gateway.write_config(), *more], capture_output=True, text=True, timeout=120)


@pytest.fixture(scope="module")
def beds(tmp_path_factory, authority):
    """beds(name, binding): each is started once."""
    made = {}

    def get(name, binding):
        if (name, binding) not in made:
            folder = tmp_path_factory.mktemp(f"{name}-{'binds' if binding else 'plain'}")
            _let_servers_in(folder)
            made[name, binding] = Bed(name, binding, folder, authority)
            made[name, binding].gateway.create_keys()
        return made[name, binding]
    yield get
    for bed in made.values():
        bed.gateway.stop()
        bed.server.stop()


@pytest.mark.parametrize("name", sorted(XMPP_SERVERS))
def test_a_server_that_does_not_bind_is_well(beds, name):
    done = beds(name, False).check("--json")
    told = json.loads(done.stdout)
    assert done.returncode == 0 and told["ok"] and told["findings"] == [], done.stdout + done.stderr


@pytest.mark.parametrize("name", sorted(XMPP_SERVERS))
def test_a_server_that_binds_is_named_with_the_setting_to_change(beds, name):
    done = beds(name, True).check()
    assert done.returncode == 0, "warnings alone are no error"
    warnings = [line for line in done.stdout.splitlines() if ": warning: " in line]
    assert len(warnings) == 2, done.stdout  # one a listener
    for listener, line in zip(("listeners[0] starttls", "listeners[1] direct"), warnings):
        assert listener in line and "RFC 5802" in line and SETTINGS[name] in line, line
    found = json.loads(beds(name, True).check("--json").stdout)["findings"]
    assert [f["weight"] for f in found] == ["warning", "warning"]


@pytest.mark.parametrize("name", sorted(XMPP_SERVERS))
@pytest.mark.parametrize("listener", ["starttls", "direct"])
def test_a_client_that_could_bind_signs_in_where_the_check_found_nothing(beds, name, listener):
    bed = beds(name, False)
    if not bed.gateway.process:
        bed.gateway.start()
    for mechanism in ("SCRAM-SHA-1", "SCRAM-SHA-256"):
        for flag in ("y", "n"):
            client = RawXmpp(bed.gateway.ports[listener], bed.gateway.authority.ca, direct_tls=listener == "direct")
            if mechanism not in client.mechanisms():
                client.close()
                continue
            assert not [m for m in client.mechanisms() if m.endswith("-PLUS")]
            assert client.features.find("{urn:xmpp:sasl-cb:0}sasl-channel-binding") is None
            client.authenticate("alice", USERS["alice"], mechanism, flag).bind(f"{mechanism.lower()}-{flag}").close()
    accepted = [r for r in bed.gateway.records() if r["kind"] == "sign_in" and r["accepted"]]
    assert {"SCRAM-SHA-1"} <= {r["detail"] for r in accepted}


@pytest.mark.parametrize("name", sorted(XMPP_SERVERS))
def test_the_check_warns_of_what_really_happens(beds, name):
    """A `y` that the check says is refused is refused through the gateway, and else let in; `n` always is."""
    bed = beds(name, True)
    if not bed.gateway.process:
        bed.gateway.start()

    def sign_in(flag):
        client = RawXmpp(bed.gateway.ports["direct"], bed.gateway.authority.ca, direct_tls=True)
        try:
            assert not [m for m in client.mechanisms() if m.endswith("-PLUS")], "the gateway offers no binding"
            client.authenticate("alice", USERS["alice"], "SCRAM-SHA-1", flag).bind(flag)
            return True
        except PermissionError:
            return False
        finally:
            client.close()
    refuses = "will not get in" in bed.check().stdout
    assert sign_in("y") is not refuses
    assert sign_in("n")
    if name == "prosody":
        assert refuses  # 0.12 under TLS 1.2; ejabberd 23 offers to bind, and lets a `y` pass all the same


def test_a_server_that_is_not_there_is_an_error(tmp_path, authority):
    gateway = Gateway(tmp_path, authority)
    gateway.listen("nowhere", "xmpp", "direct", free_port(), "direct")
    gateway.create_keys()
    done = subprocess.run([gateway_bed.BINARY, "config", "check", gateway.write_config()], capture_output=True, text=True, timeout=60)
    assert done.returncode == 1 and "listeners[0] nowhere" in done.stdout and "could not be asked" in done.stdout, done.stdout + done.stderr
