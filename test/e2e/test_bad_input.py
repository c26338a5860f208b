"""Hostile peers, dead peers, full disks: each has a stated answer, and the gateway goes on."""
import os
import pathlib
import socket
import ssl
import subprocess
import threading
import time

import pytest

from beds import gateway as gateway_bed
from beds.gateway import Gateway
from beds.inspircd import Inspircd
from beds.ngircd import Ngircd
from beds.process import free_port, wait_until
from beds.prosody import Prosody
from clients.raw_irc import RawIrc
from clients.raw_xmpp import RawXmpp, message
from conftest import USERS, _let_servers_in

OPENING = b"<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' to='im.test' version='1.0'>"
HANDSHAKE_SECONDS = 5
PATIENCE = 90  # seconds until something counts as lost, on a machine under load
# Freed memory that the address sanitizer holds back (256 MiB by its own choice) is not the gateway's.
SANITIZER = ":".join(filter(None, [os.environ.get("ASAN_OPTIONS"), "quarantine_size_mb=1:thread_local_quarantine_size_kb=64"]))


@pytest.fixture(scope="module")
def bed(tmp_path_factory, authority):
    """A gateway before Prosody and ngircd with short limits."""
    folder = tmp_path_factory.mktemp("bad")
    _let_servers_in(folder)
    for name in ("prosody", "ngircd", "gateway"):
        (folder / name).mkdir()
    prosody = Prosody(folder / "prosody", authority).start(USERS)
    ngircd = Ngircd(folder / "ngircd", authority).start()
    gateway = Gateway(folder / "gateway", authority)
    gateway.listen("xmpp", "xmpp", "direct", prosody.direct_port, "direct")
    gateway.listen("irc", "irc", "none", ngircd.plain_port, "none")
    gateway.listen("nowhere", "xmpp", "direct", free_port(), "direct")
    gateway.listen("nowhere-irc", "irc", "none", free_port(), "none")
    gateway.overrides["limits"] = {"handshake_seconds": HANDSHAKE_SECONDS, "sign_in_seconds": 12, "connect_seconds": 10}
    gateway.environment = {"ASAN_OPTIONS": SANITIZER}
    yield gateway.start()
    assert gateway.stop() == 0, gateway.process.tail()
    prosody.stop()
    ngircd.stop()


def dial(bed, listener="xmpp", sending=OPENING):
    context = ssl.create_default_context(cafile=str(bed.authority.ca))
    plain = socket.create_connection(("127.0.0.1", bed.ports[listener]), timeout=PATIENCE)
    secured = context.wrap_socket(plain, server_hostname="im.test")
    secured.sendall(sending)
    return secured


def read_all(peer) -> bytes:
    octets = b""
    try:
        while chunk := peer.recv(65536):
            octets += chunk
    except OSError:
        pass
    return octets


def memory_kib(bed):
    status = pathlib.Path(f"/proc/{bed.process.child.pid}/status").read_text()
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS")))


def errors(bed):
    return [r for r in bed.records() if r["kind"] == "protocol_error"]


@pytest.mark.parametrize("octets, condition", [
    (b"<message><body>a</bodi></message>", b"not-well-formed"),
    (b"<!DOCTYPE x [<!ENTITY a 'aaaa'><!ENTITY b '&a;&a;'>]><message>&b;</message>", b"restricted-xml"),
    (b"<message><body>&nosuch;</body></message>", b"restricted-xml"),
    (b"<!-- a comment -->", b"restricted-xml"),
    (b"<?php echo 1 ?>", b"restricted-xml"),
    (b"<message><body>\xff\xfe\xc0\x80</body></message>", b"unsupported-encoding"),
    (b"<a>" * 500, b"policy-violation"),
], ids=["tags", "entity-bomb", "entity", "comment", "instruction", "not-utf8", "depth"])
def test_bad_xml_gets_the_protocols_error_and_a_record(bed, octets, condition):
    before = len(errors(bed))
    peer = dial(bed, sending=OPENING + octets)
    answer = read_all(peer)
    peer.close()
    assert b"<stream:error" in answer and answer.endswith(b"</stream:stream>"), answer
    assert condition in answer, answer
    wait_until(lambda: len(errors(bed)) > before, "a record of the error", PATIENCE, 0.2)


def test_a_stanza_of_100_mb_is_cut_off_in_bounded_memory(bed):
    before, known = memory_kib(bed), len(errors(bed))
    peer = dial(bed, sending=OPENING + b"<message><body>")
    chunk, sent = b"x" * 65536, 0
    try:
        while sent < 100 << 20:
            peer.sendall(chunk)
            sent += len(chunk)
        answer = read_all(peer)
        assert b"policy-violation" in answer, answer
    except OSError:
        pass  # cut off
    peer.close()
    assert memory_kib(bed) - before < 32 * 1024
    wait_until(lambda: len(errors(bed)) > known, "a record of the error", PATIENCE, 0.2)


def test_an_irc_line_without_end_is_cut_off(bed):
    before = len(errors(bed))
    peer = socket.create_connection(("127.0.0.1", bed.ports["irc"]), timeout=PATIENCE)
    try:
        for _ in range(1600):
            peer.sendall(b"x" * 65536)
        assert b"ERROR" in read_all(peer)
    except OSError:
        pass  # cut off
    peer.close()
    wait_until(lambda: len(errors(bed)) > before, "a record of the error", PATIENCE, 0.2)


def test_a_handshake_that_never_ends_is_ended(bed):
    peer = socket.create_connection(("127.0.0.1", bed.ports["xmpp"]), timeout=PATIENCE)
    peer.sendall(b"\x16\x03\x01")
    mine = f"127.0.0.1:{peer.getsockname()[1]}"
    begin = time.monotonic()
    assert read_all(peer) == b""
    assert HANDSHAKE_SECONDS - 1 < time.monotonic() - begin < HANDSHAKE_SECONDS + 60
    peer.close()

    def ended():
        records = bed.records()
        opened = [r["connection"] for r in records if r["kind"] == "stream_open" and r["detail"] == mine]
        return [r for r in records if r["kind"] == "stream_close" and r["connection"] in opened and r["detail"].startswith("handshake: ")]
    wait_until(ended, "a record of its end", PATIENCE, 0.2)


def test_one_who_never_signs_in_is_let_go(bed):
    peer = dial(bed)
    peer.settimeout(PATIENCE)
    answer = read_all(peer)
    assert b"<connection-timeout" in answer and answer.endswith(b"</stream:stream>"), answer
    peer.close()


def test_an_upstream_that_is_down_is_told_in_the_protocol_and_recorded(bed):
    peer = dial(bed, "nowhere")
    answer = read_all(peer)
    assert b"<stream:error" in answer and (b"remote-connection-failed" in answer or b"internal-server-error" in answer), answer
    peer.close()
    irc = socket.create_connection(("127.0.0.1", bed.ports["nowhere-irc"]), timeout=PATIENCE)
    irc.sendall(b"NICK x\r\nUSER x 0 * :x\r\n")
    assert b"ERROR :" in read_all(irc)
    irc.close()
    wait_until(lambda: [r for r in bed.records() if r["kind"] == "outage"], "an outage record", PATIENCE, 0.2)


def test_a_server_that_vanishes_mid_stanza_ends_the_client_properly(bed, tmp_path, authority):
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(4)

    def vanish():
        peer, _ = listener.accept()
        while not peer.recv(65536):  # one who only looked whether the port is open
            peer.close()
            peer, _ = listener.accept()
        peer.sendall(b":irc.test 001 ann :Welcome\r\n:bob!b@h PRIVMSG ann :half a li")
        peer.close()
    thread = threading.Thread(target=vanish)
    thread.start()
    gateway = Gateway(tmp_path, authority)
    gateway.listen("irc", "irc", "none", listener.getsockname()[1], "none")
    gateway.start()
    client = socket.create_connection(("127.0.0.1", gateway.ports["irc"]), timeout=PATIENCE)
    client.sendall(b"NICK ann\r\nUSER ann 0 * :ann\r\n")
    answer = read_all(client)
    thread.join(PATIENCE)
    listener.close()
    assert b"001 ann" in answer and b"half a li" not in answer and b"ERROR :" in answer, answer
    assert gateway.stop() == 0
    assert not [r for r in gateway.records() if r["kind"] == "message"]


def test_an_xmpp_server_that_vanishes_mid_stanza_ends_the_client_properly(tmp_path, authority):
    listener = socket.create_server(("127.0.0.1", 0))

    def vanish():
        peer, _ = listener.accept()
        while not peer.recv(65536):  # one who only looked whether the port is open
            peer.close()
            peer, _ = listener.accept()
        peer.sendall(b"<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' id='1' version='1.0'>"
                     b"<stream:features><mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>PLAIN</mechanism></mechanisms></stream:features>"
                     b"<message from='bob@im.test'><body>half a mess")
        peer.close()
    thread = threading.Thread(target=vanish)
    thread.start()
    gateway = Gateway(tmp_path, authority)
    gateway.listen("xmpp", "xmpp", "none", listener.getsockname()[1], "none")
    gateway.start()
    client = socket.create_connection(("127.0.0.1", gateway.ports["xmpp"]), timeout=PATIENCE)
    client.sendall(OPENING)
    answer = read_all(client)
    thread.join(PATIENCE)
    listener.close()
    assert b"<mechanism>PLAIN" in answer and b"half a mess" not in answer, answer
    assert b"<remote-connection-failed" in answer and answer.endswith(b"</stream:stream>"), answer
    assert gateway.stop() == 0
    records = gateway.records()
    assert not [r for r in records if r["kind"] in ("message", "history")]
    assert [r for r in records if r["kind"] == "protocol_error" and "server ended within a unit" in r["detail"]]
    assert [r for r in records if r["kind"] == "outage"]


def test_a_client_that_never_reads_does_not_fill_memory(bed):
    before = memory_kib(bed)
    deaf, loud = RawIrc(bed.ports["irc"], "deaf"), RawIrc(bed.ports["irc"], "loud")
    line = "PRIVMSG deaf :" + "y" * 400
    end = time.monotonic() + 8
    loud.socket.settimeout(1)
    try:
        while time.monotonic() < end:
            loud.send(*[line] * 50)
    except OSError:
        pass  # back-pressure or the server's own flood protection
    assert memory_kib(bed) - before < 64 * 1024
    for client in (deaf, loud):
        client.socket.close()


def test_an_xmpp_client_that_never_reads_does_not_fill_memory_and_nothing_is_lost(bed):
    before = memory_kib(bed)
    deaf, loud = (RawXmpp(bed.ports["xmpp"], bed.authority.ca, direct_tls=True).authenticate(user, USERS[user]).bind("deaf").appear()
                  for user in ("alice", "bob"))
    texts = [f"deaf {n} " + "y" * 4000 for n in range(1000)]
    loud.socket.settimeout(2)
    said = 0
    try:
        for n, text in enumerate(texts):
            loud.send(message(deaf.address, text, f"deaf{n}"))
            said += 1
    except (OSError, ssl.SSLError):
        pass  # back-pressure
    assert memory_kib(bed) - before < 64 * 1024
    for text in texts[:said]:
        deaf.until_text(text)
    heard = [t for t in deaf.texts() if t.startswith("deaf ")]
    assert heard[:said] == texts[:said], "in order, nothing missing"
    for client in (deaf, loud):
        client.socket.close()


def test_an_unknown_key_is_named_with_its_line_and_what_would_be_valid(bed, tmp_path):
    text = bed.write_config().read_text().replace("archive:", "archve:", 1)
    path = tmp_path / "bad.yaml"
    path.write_text(text)
    done = subprocess.run([gateway_bed.BINARY, "config", "check", "--offline", path], capture_output=True, text=True)
    line = next(i for i, l in enumerate(text.splitlines(), 1) if l.startswith("archve:"))
    assert done.returncode != 0 and f"bad.yaml:{line}" in done.stderr and "archve" in done.stderr and "archive" in done.stderr, done.stderr


def start_and_fail(gateway) -> str:
    """Starts the gateway, which must refuse to run; what it said."""
    done = subprocess.run([gateway_bed.BINARY, "gateway", "-c", gateway.write_config()], capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode not in (0, -11, -6), done.stderr
    return done.stdout + done.stderr


def contents(folder):
    return {path.relative_to(folder): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.fixture
def small(tmp_path, authority, bed):
    """A gateway before the bed's ngircd with a finished archive of its own."""
    gateway = Gateway(tmp_path, authority)
    gateway.listen("irc", "irc", "none", int(bed.listeners[1]["route"]["address"].rpartition(":")[2]), "none")
    gateway.start()
    ann = RawIrc(gateway.ports["irc"], "annie")
    for number in range(20):
        ann.send(f"PRIVMSG annie :archived {number}")
    # ngircd makes one who says much wait: 50 messages took it 18 seconds.
    wait_until(lambda: ann.receive(1) is not None and len(ann.heard()) == 20, "all of it", PATIENCE, 0)
    ann.socket.close()
    assert gateway.stop() == 0
    return gateway


@pytest.mark.parametrize("damage", ["truncated", "bit"])
def test_an_archive_that_is_damaged_below_what_was_durable_is_refused_and_named(small, damage):
    segment = max(small.archive.rglob("segments/*.seg"), key=lambda path: path.stat().st_size)
    octets = bytearray(segment.read_bytes())
    if damage == "truncated":
        del octets[len(octets) // 2:]
    else:
        octets[len(octets) // 2] ^= 1
    segment.write_bytes(octets)
    before = contents(small.archive)
    said = start_and_fail(small)
    assert f"segment {segment.stem}" in said or "checkpoint" in said, said
    assert contents(small.archive) == before, "what is evidence of the damage stays as it was found"
    done = small.verify("--key", small.vkey())
    assert done.returncode == 1, done.stdout + done.stderr


def test_an_archive_of_another_node_is_not_written_to(small, tmp_path):
    before = contents(small.archive)
    small.overrides |= {"node": "gateway-2"}
    small.start()
    assert small.stop() == 0
    after = contents(small.archive)
    assert {path: after[path] for path in before} == before, "another node's log is another log"
    assert set(after) > set(before)


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small disk needs root")
def test_on_a_full_disk_nothing_unrecorded_passes(tmp_path, authority, bed):
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1500k", "tmpfs", disk], capture_output=True).returncode != 0:
        pytest.skip("this machine lets nobody mount a small disk")
    server, gateway = Inspircd(tmp_path, authority), Gateway(tmp_path, authority)
    try:
        server.start()
        gateway.archive = disk / "archive"
        gateway.listen("irc", "irc", "none", server.plain_port, "none")
        gateway.overrides |= {"index": str(tmp_path / "index"), "keys": str(tmp_path / "keys"), "state": str(tmp_path / "state")}
        subprocess.run([gateway_bed.BINARY, "keys", "create", "-d", gateway.archive, "--keys", tmp_path / "keys"], check=True)
        gateway.start()
        ann, ben = RawIrc(gateway.ports["irc"], "ann"), RawIrc(gateway.ports["irc"], "ben")
        heard_before_end = []
        for number in range(20_000):
            try:
                ann.send(f"PRIVMSG ben :full {number} " + "z" * 300)
            except OSError:
                break
            ben.receive(0)
            if gateway.process.child.poll() is not None:
                break
        ben.drain()
        heard_before_end = [text.split()[1] for text in ben.heard()]
        gateway.stop()
        subprocess.run(["mount", "-o", "remount,size=64m", disk], check=True)
        recorded = {r["text"].split()[1] for r in gateway.records() if r["kind"] == "message" and r["text"].startswith("full ")}
        missing = [n for n in heard_before_end if n not in recorded]
        assert heard_before_end and not missing, missing[:5]
    finally:
        gateway.stop()
        server.stop()
        subprocess.run(["umount", "-l", disk])
