"""The sensor on a mirror port resets what is not wanted and nothing else.

Hosts are network namespaces on one switch; the switch's nftables copies what the client's and the server's port take in
to the mirror port. ngircd, Prosody, libtorrent and Python's HTTP server are real; the peers beside them speak just enough
of their protocols to be what they are.
CHANCERY_RESET_TRIES=100 tries each case so often (the suite: 5, and one that misses is tried once more), demands 95 %,
and prints the share and the median time.
"""
import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import time

import pytest

from beds.mirror import CLIENT, SENSOR, SERVER, Network, await_port, inside

TRIES = int(os.environ.get("CHANCERY_RESET_TRIES", "5"))
MISSES_MAX = TRIES // 20
WATCH = 20  # seconds for a machine under load; a reset ends it at once
CHANCERY = os.environ.get("CHANCERY", "build/dev/chancery")
GATEWAY_PORT = 5299
PROSODY_PORT, PROSODY_GATEWAY_PORT = 5322, 5300  # one server, whose second port is the gateway's

IRCD = """[Global]
Name = irc.test
Info = test
Listen = {address}
Ports = 6667
ServerUID = {user}
ServerGID = {group}
[Limits]
MaxConnectionsIP = 0
PingTimeout = 600
[Options]
DNS = no
Ident = no
PAM = no
SyslogFacility = local1
"""

# In the server's namespace: an XMPP server's first words, a BitTorrent peer, an SSH banner, HTTP; all echo after that.
SERVERS = r"""
import socket, sys, threading
def serve(port, first):
    listener = socket.create_server(("10.99.0.2", port))
    def one(peer):
        try:
            data = peer.recv(65536)
            while data:
                peer.sendall(first or data); first_sent = True
                data = peer.recv(65536)
        except OSError: pass
        peer.close()
    def loop():
        while True:
            threading.Thread(target=one, args=(listener.accept()[0],), daemon=True).start()
    threading.Thread(target=loop, daemon=True).start()
STREAM = b"<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' id='1' from='im.test' version='1.0'><stream:features/>"
serve(5222, STREAM); serve(5299, STREAM)
serve(6881, b"\x13BitTorrent protocol" + bytes(8) + b"i" * 20 + b"-TR3000-abcdefghijkl")
serve(22, b"SSH-2.0-OpenSSH_9.2\r\n"); serve(80, b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
print("ready", flush=True); sys.stdin.read()
"""

# In the client's namespace: one connection a line of input {"port", "say", "idle"}; answers with what became of it.
CLIENTS = r"""
import json, socket, sys, time
for line in sys.stdin:
    ask = json.loads(line)
    peer = socket.create_connection(("10.99.0.2", ask["port"]), timeout=30)
    peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    result, verdict, port = "open", None, peer.getsockname()[1]
    try:
        for text in ask["say"]:
            peer.sendall(text.encode("latin-1")); verdict = time.monotonic()
            if ask["answers"]: peer.recv(65536)
        end = time.monotonic() + ask["watch"]
        beat = time.monotonic() + 0.1  # ten messages a second when busy
        while time.monotonic() < end and result == "open":
            until = min(beat, end) if ask["busy"] else end
            peer.settimeout(max(until - time.monotonic(), 0.001))
            try:
                if not peer.recv(65536): result = "closed"
            except TimeoutError: pass
            if ask["busy"] and time.monotonic() >= beat:
                peer.sendall(ask["busy"].encode("latin-1")); beat += 0.1
    except (ConnectionResetError, BrokenPipeError):
        result = "reset"
    print(json.dumps({"result": result, "ms": (time.monotonic() - verdict) * 1000 if verdict else 0, "port": port}), flush=True)
    peer.close()
"""

IRC = ["NICK ada%d\r\nUSER ada 0 * :Ada\r\n"]
XMPP = ["<?xml version='1.0'?><stream:stream to='im.test' xmlns='jabber:client' "
        "xmlns:stream='http://etherx.jabber.org/streams' version='1.0'>"]
TORRENT = ["\x13BitTorrent protocol" + "\0" * 8 + "h" * 20 + "-TR3000-zyxwvutsrqpo"]
BUSY = {"irc": "PRIVMSG #all :and on it goes\r\n", "xmpp": "<message to='bob@im.test'><body>on</body></message>",
        "torrent": "\0\0\0\x05\x04\0\0\0\x01"}
CASES = {"irc": (6667, IRC), "xmpp": (5222, XMPP), "torrent": (6881, TORRENT)}


@pytest.fixture(scope="module")
def network():
    if os.geteuid() != 0:
        pytest.skip("network namespaces need root")
    for tool in ("ip", "nft", "ngircd"):
        if not (shutil.which(tool) or os.path.exists(f"/usr/sbin/{tool}")):
            pytest.skip(f"{tool} is not installed")
    made = None
    try:
        made = Network()
    except (subprocess.CalledProcessError, OSError) as error:
        pytest.skip(f"this machine lets nobody make network namespaces or mirror a port: {error}")
    yield made
    made.close()


@pytest.fixture(scope="module")
def servers(network, tmp_path_factory):
    folder = tmp_path_factory.mktemp("ircd")
    (folder / "ngircd.conf").write_text(IRCD.format(address=SERVER, user="nobody", group="nogroup"))
    (folder / "ngircd.conf").chmod(0o644)
    folder.chmod(0o755)
    running = [inside(network.space("server"), "/usr/sbin/ngircd", "-n", "-f", str(folder / "ngircd.conf"),
                      stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL),
               inside(network.space("server"), sys.executable, "-c", SERVERS, stdin=subprocess.PIPE, stdout=subprocess.PIPE)]
    assert running[1].stdout.readline() == "ready\n"
    for port in (6667, 80):
        await_port(network, port)
    yield
    for process in running:
        process.kill()
        process.wait()


@pytest.fixture(scope="module")
def sensor(network, servers, tmp_path_factory):
    folder = tmp_path_factory.mktemp("sensor")
    config = folder / "sensor.yaml"
    config.write_text(f"""interface: mirror
folder: state
report_seconds: 1
inside: ["{CLIENT}", "{SENSOR}"]
gateways: ["{SERVER}:{GATEWAY_PORT}", "{SERVER}:{PROSODY_GATEWAY_PORT}"]
stopping:
  rules:
    - {{categories: [im, p2p], action: reset}}
  send_from: eth0
  per_second: 1000
  kill_switch: switch/stop
""")
    folder.chmod(0o755)
    for parent in folder.parents:
        if str(parent) != "/" and parent.stat().st_uid == os.getuid() and parent != folder.parents[-2]:
            parent.chmod(parent.stat().st_mode | 0o011)
    (folder / "switch").mkdir(mode=0o755)
    log = open(folder / "log", "w+")
    process = inside(network.space("sensor"), CHANCERY, "sensor", "--json", "-c", str(config), stdout=log, stderr=log)
    for line in follow(folder / "log", process):
        if '"watching"' in line:
            break
    # Before all else: the server's address has updates, too.
    subprocess.run(["ip", "netns", "exec", network.space("client"), sys.executable, "-c", "import socket\n"
                    f"peer = socket.create_connection(('{SERVER}', 80), 30)\n"
                    "peer.sendall(b'GET / HTTP/1.1\\r\\nHost: updates.example\\r\\n\\r\\n'); peer.recv(1000)"], check=True)
    process.log = folder / "log"
    process.folder = folder
    yield process
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) == 0


def follow(path, process):
    """Lines as they are written, until the process ends."""
    end = time.monotonic() + 60
    with open(path) as lines:
        while time.monotonic() < end:
            line = lines.readline()
            if line:
                yield line
            elif process.poll() is not None:
                raise AssertionError("the sensor ended:\n" + path.read_text())
            else:
                time.sleep(0.01)
    raise AssertionError("the sensor did not say it within a minute:\n" + path.read_text()[-2000:])


@pytest.fixture(scope="module")
def client(network):
    process = inside(network.space("client"), sys.executable, "-c", CLIENTS, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def ask(port, say, watch, busy=None, answers=False):
        process.stdin.write(json.dumps({"port": port, "say": say, "watch": watch, "busy": busy, "answers": answers}) + "\n")
        process.stdin.flush()
        return json.loads(process.stdout.readline())

    yield ask
    process.kill()
    process.wait()


def say(case, number):
    return [text % number if "%d" in text else text for text in CASES[case][1]]


@pytest.mark.parametrize("busy", [False, True], ids=["idle", "busy"])
@pytest.mark.parametrize("case", CASES)
def test_resets(case, busy, sensor, client):
    def attempt(number):
        return client(CASES[case][0], say(case, number), WATCH, BUSY[case] if busy else None)

    answers = [attempt(number) for number in range(TRIES)]
    missed = [answer for answer in answers if answer["result"] != "reset"]
    if len(missed) == 1 and MISSES_MAX == 0:
        answers.append(attempt(TRIES))
    ended = [answer for answer in answers if answer["result"] == "reset"]
    median = statistics.median(answer["ms"] for answer in ended) if ended else float("nan")
    print(f"{case} {'busy' if busy else 'idle'}: {len(ended)} of {len(answers)} reset, median {median:.1f} ms")
    assert len(ended) >= TRIES - MISSES_MAX, f"{missed}\n{sensor.log.read_text()[-4000:]}"


PROSODY = """pidfile = "{folder}/prosody.pid"
data_path = "{folder}"
interfaces = {{ "{address}" }}
c2s_ports = {{ {ports[0]}, {ports[1]} }}
s2s_ports = {{ }}
http_ports = {{ }}
https_ports = {{ }}
modules_enabled = {{ "roster"; "saslauth"; "ping"; "posix" }}
modules_disabled = {{ "s2s"; "tls"; "limits" }}
allow_unencrypted_plain_auth = true
c2s_require_encryption = false
authentication = "internal_plain"
VirtualHost "im.test"
"""

# In the client's namespace: signs in without TLS, then pings; says what became of it.
XMPP_CLIENT = r"""
import base64, socket, sys
port, pings = int(sys.argv[1]), int(sys.argv[2])
peer = socket.create_connection(("10.99.0.2", port), timeout=30)
def ask(text, answer):
    peer.sendall(text.encode()); got = b""
    while answer not in got:
        chunk = peer.recv(65536)
        if not chunk: raise SystemExit("closed")
        got += chunk
STREAM = "<?xml version='1.0'?><stream:stream to='im.test' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' version='1.0'>"
try:
    ask(STREAM, b"</stream:features>")
    secret = base64.b64encode(b"\0ada\0lovelace").decode()
    ask(f"<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>{secret}</auth>", b"<success")
    ask(STREAM, b"</stream:features>")
    ask("<iq type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>", b"<jid>")
    for i in range(pings):
        ask(f"<iq type='get' id='p{i}' to='im.test'><ping xmlns='urn:xmpp:ping'/></iq>", f"id='p{i}'".encode())
    print("signed in")
    if not pings: peer.recv(65536); print("closed")
except (ConnectionResetError, BrokenPipeError): print("reset")
"""


@pytest.fixture
def prosody(network, servers, tmp_path):
    if not shutil.which("prosody"):
        pytest.skip("prosody is not installed")
    for folder in (tmp_path, *tmp_path.parents[:2]):
        folder.chmod(folder.stat().st_mode | 0o055)
    config = tmp_path / "prosody.cfg.lua"
    config.write_text(PROSODY.format(folder=tmp_path, address=SERVER, ports=(PROSODY_PORT, PROSODY_GATEWAY_PORT)))
    accounts = tmp_path / "im%2etest" / "accounts"
    accounts.mkdir(parents=True)
    (accounts / "ada.dat").write_text('return { ["password"] = "lovelace" };\n')
    for path in (tmp_path, *tmp_path.rglob("*")):
        shutil.chown(path, "prosody", "prosody")
    with open(tmp_path / "log", "w") as log:
        process = inside(network.space("server"), "setpriv", "--reuid=prosody", "--regid=prosody", "--clear-groups", "prosody", "-F",
                         "--config", str(config), stdout=log, stderr=log)
    await_port(network, PROSODY_PORT)
    yield
    process.kill()
    process.wait()


def xmpp_client(network, port, pings):
    process = inside(network.space("client"), sys.executable, "-c", XMPP_CLIENT, str(port), str(pings), stdout=subprocess.PIPE)
    return process.communicate(timeout=120)[0].split("\n")[-2]


def test_a_real_xmpp_session_is_reset_unless_it_goes_through_the_gateway(network, prosody, sensor):
    assert xmpp_client(network, PROSODY_GATEWAY_PORT, 20) == "signed in"
    assert xmpp_client(network, PROSODY_PORT, 0) == "reset"


# One end of a BitTorrent transfer that is too slow to be over before it is reset; encryption off, TCP only.
TORRENT_PEER = r"""
import libtorrent, sys, time
role, folder = sys.argv[1:]
session = libtorrent.session({"listen_interfaces": ("10.99.0.2:6890" if role == "seed" else "10.99.0.1:6891"), "enable_dht": False, "enable_lsd": False,
    "enable_upnp": False, "enable_natpmp": False, "enable_outgoing_utp": False, "enable_incoming_utp": False, "in_enc_policy": 2,
    "out_enc_policy": 2, "alert_mask": 0x7fffffff, "min_reconnect_time": 1, "allow_multiple_connections_per_ip": True})
transfer = session.add_torrent({"ti": libtorrent.torrent_info(folder + "/data.torrent"), "save_path": folder + "/" + role})
transfer.set_upload_limit(50_000); transfer.set_download_limit(50_000)  # the session's own limits spare local peers
if role == "seed":
    while not transfer.status().is_seeding: time.sleep(0.05)
    print("ready", flush=True); sys.stdin.read(); raise SystemExit
transfer.connect_peer(("10.99.0.2", 6890))
end, resets, received = time.monotonic() + 90, 0, 0
while time.monotonic() < end and not resets:
    session.wait_for_alert(200)
    for alert in session.pop_alerts():
        if isinstance(alert, libtorrent.peer_disconnected_alert): resets += "reset" in alert.message().lower()
print(resets, int(transfer.status().is_seeding), flush=True)
"""


def test_a_real_bittorrent_transfer_is_reset(network, sensor, tmp_path):
    libtorrent = pytest.importorskip("libtorrent", reason="python3-libtorrent is not installed")
    for role in ("seed", "leech"):
        (tmp_path / role).mkdir()
    (tmp_path / "seed" / "data").write_bytes(os.urandom(32 << 20))
    files = libtorrent.file_storage()
    libtorrent.add_files(files, str(tmp_path / "seed" / "data"))
    made = libtorrent.create_torrent(files)
    libtorrent.set_piece_hashes(made, str(tmp_path / "seed"))
    (tmp_path / "data.torrent").write_bytes(libtorrent.bencode(made.generate()))
    seed, leech = (inside(network.space(space), sys.executable, "-c", TORRENT_PEER, role, str(tmp_path), stdin=subprocess.PIPE, stdout=subprocess.PIPE)
                   for space, role in (("server", "seed"), ("client", "leech")))
    try:
        assert seed.stdout.readline() == "ready\n"
        resets, finished = leech.communicate(timeout=120)[0].split()
        assert int(resets) > 0 and finished == "0"
    finally:
        for process in (seed, leech):
            process.kill()
            process.wait()


def test_a_real_web_server_is_left_alone(network, sensor, tmp_path):
    (tmp_path / "page").write_text("hello")
    process = inside(network.space("server"), sys.executable, "-m", "http.server", "--bind", SERVER, "-d", str(tmp_path), "8000",
                     stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        await_port(network, 8000)
        done = subprocess.run(["ip", "netns", "exec", network.space("client"), sys.executable, "-c",
                               "import urllib.request as web\n"
                               f"for _ in range(20): print(web.urlopen('http://{SERVER}:8000/page', timeout=30).read().decode())"],
                              capture_output=True, text=True, check=True)
        assert done.stdout.split() == ["hello"] * 20
    finally:
        process.kill()
        process.wait()


def test_leaves_the_others_alone(sensor, client):
    assert client(80, ["GET / HTTP/1.1\r\nHost: a\r\n\r\n"], 1, answers=True)["result"] == "open"
    assert client(22, ["SSH-2.0-OpenSSH_9.2\r\n"], 1, answers=True)["result"] == "open"
    assert client(GATEWAY_PORT, XMPP, 1, answers=True)["result"] == "open"


def test_the_kill_switch(sensor, client):
    switch = sensor.folder / "switch/stop"
    switch.touch()
    try:
        assert client(6667, say("irc", 99_999), 1)["result"] != "reset"
    finally:
        switch.unlink()


def test_a_kill_switch_that_cannot_be_looked_for_counts_as_thrown(sensor, client):
    (sensor.folder / "switch").chmod(0o700)
    try:
        assert client(6667, say("irc", 99_998), 1)["result"] != "reset"
    finally:
        (sensor.folder / "switch").chmod(0o755)


def test_no_rights_are_left(sensor):
    children = subprocess.run(["pgrep", "-f", f"sensor --json -c {sensor.folder}"], capture_output=True, text=True).stdout
    for pid in children.split():
        status = dict(line.split(":\t", 1) for line in open(f"/proc/{pid}/status") if ":\t" in line)
        if "chancery" not in status["Name"]:
            continue
        assert set(status["Uid"].split()) != {"0"}
        assert {int(status[name], 16) for name in ("CapEff", "CapPrm", "CapInh", "CapAmb")} == {0}
        assert status["NoNewPrivs"].strip() == "1"
        return
    pytest.fail("the sensor's process was not found")


def test_the_block_list_stops_a_reconnection(network, sensor, client, tmp_path):
    """What was reset is proposed; approved and exported, the sets refuse the next connection, and not the updates beside."""
    def blocks(*words):
        return subprocess.run([CHANCERY, "blocks", *words, "-d", str(sensor.folder / "state"), "--json"], capture_output=True,
                              text=True, check=True).stdout

    target = f"tcp/{SERVER}:6667"
    for line in follow(sensor.log, sensor):
        if '"proposed for the block list"' in line and any(
                entry["value"] == target for entry in json.loads(blocks("list"))["entries"]):
            break
    entries = json.loads(blocks("list"))["entries"]
    assert SERVER not in [entry["value"] for entry in entries], "what serves updates, too, is never proposed by address"
    blocks("approve", target)
    rules = json.loads(blocks("export", "--format", "nft"))["text"]
    apply = ["ip", "netns", "exec", network.space("client"), "nft"]
    subprocess.run([*apply, "-f", "-"], input=rules, text=True, check=True)
    try:
        refused = inside(network.space("client"), sys.executable, "-c",
                         f"import socket; socket.create_connection(('{SERVER}', 6667), 5)", stderr=subprocess.PIPE)
        assert "ConnectionRefusedError" in refused.communicate()[1]
        assert client(80, ["GET / HTTP/1.1\r\nHost: updates.example\r\n\r\n"], 0.2, answers=True)["result"] == "open"
    finally:
        subprocess.run([*apply, "delete", "table", "inet", "chancery"], check=True)
