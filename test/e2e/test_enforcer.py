"""chancery enforcer: applies the approved entries in its network namespace, with one right, for its client only."""
import json
import os
import pwd
import shutil
import signal
import sqlite3
import subprocess
import sys
import time

import pytest

from beds.process import wait_until
from test_block_exports import blocks

CHANCERY = os.environ["CHANCERY"]
HOST, FAR = "10.98.0.1", "10.98.0.2"  # the enforcer's machine, and the one that is to be cut off
CLIENT = "nobody"

# In the far namespace: takes connections on the ports that are named, for good.
SERVER = r"""
import socket, sys
keep = [socket.create_server(("10.98.0.2", int(port)), backlog=100) for port in sys.argv[1:]]
print("ready", flush=True); sys.stdin.read()
"""


@pytest.fixture(scope="module")
def spaces():
    """(host, far): commands that run in two namespaces with a wire between them."""
    if os.geteuid() != 0:
        pytest.skip("network namespaces need root")
    for tool in ("ip", "nft"):
        if not (shutil.which(tool) or os.path.exists(f"/usr/sbin/{tool}")):
            pytest.skip(f"{tool} is not installed")
    names = [f"che{os.getpid()}-{part}" for part in ("host", "far")]

    def ip(*words):
        subprocess.run(["ip", *words], check=True, capture_output=True)
    try:
        for name in names:
            ip("netns", "add", name)
            ip("-n", name, "link", "set", "lo", "up")
        ip("-n", names[0], "link", "add", "wire", "type", "veth", "peer", "name", "wire", "netns", names[1])
        for name, address in zip(names, (HOST, FAR)):
            ip("-n", name, "addr", "add", f"{address}/24", "dev", "wire")
            ip("-n", name, "link", "set", "wire", "up")
    except subprocess.CalledProcessError as error:
        pytest.skip(f"this machine lets nobody make network namespaces: {error.stderr}")
    yield [["ip", "netns", "exec", name] for name in names]
    for name in names:
        subprocess.run(["ip", "netns", "del", name], capture_output=True)


@pytest.fixture(scope="module")
def server(spaces):
    process = subprocess.Popen([*spaces[1], sys.executable, "-c", SERVER, "5222", "8000"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "ready\n"
    yield
    process.kill()
    process.wait()


class Running:
    def __init__(self, folder, spaces):
        self.folder, self.spaces, self.socket, self.log = folder, spaces, folder / "enforcer.sock", folder / "log"
        config = folder / "enforcer.yaml"
        config.write_text(f"socket: enforcer.sock\nclient: {CLIENT}\nuser: nobody\nnever: [192.0.2.0/24]\n")
        with open(self.log, "w") as log:
            self.process = subprocess.Popen([*spaces[0], CHANCERY, "enforcer", "--json", "-c", str(config)], stdout=log, stderr=log)
        wait_until(lambda: self.said("ready") or self.process.poll() is not None, "the enforcer", 60)
        assert self.process.poll() is None, self.log.read_text()

    def said(self, message):
        return [json.loads(line) for line in self.log.read_text().splitlines() if f'"message":"{message}"' in line]

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(60) == 0, self.log.read_text()

    def ask(self, octets, user=CLIENT, end=True):
        """The answer to raw octets from a process of `user`."""
        script = ("import socket, sys\npeer = socket.socket(socket.AF_UNIX); peer.settimeout(60); peer.connect(sys.argv[1])\n"
                  "try: peer.sendall(sys.stdin.buffer.read())\nexcept OSError: pass\n"
                  + ("peer.shutdown(socket.SHUT_WR)\n" if end else "") + "print(peer.recv(4096).decode(), end='')")
        account = pwd.getpwnam(user)
        return subprocess.run([sys.executable, "-c", script, str(self.socket)], input=octets, capture_output=True, timeout=120,
                              user=account.pw_uid, group=account.pw_gid, extra_groups=[], check=True).stdout.decode()

    def request(self, *lines):
        return "".join(line + "\n" for line in ("chancery-enforcer 1", *lines, "end")).encode()

    def rules(self):
        return subprocess.run([*self.spaces[0], "nft", "list", "ruleset"], capture_output=True, text=True, check=True).stdout

    def can_reach(self, port):
        done = subprocess.run([*self.spaces[0], sys.executable, "-c", f"import socket; socket.create_connection(('{FAR}', {port}), 30)"],
                              capture_output=True, text=True)
        assert done.returncode == 0 or "ConnectionRefusedError" in done.stderr, done.stderr
        return done.returncode == 0


@pytest.fixture(scope="module")
def enforcer(spaces, server, tmp_path_factory):
    folder = tmp_path_factory.mktemp("enforcer")
    for path in (folder, *folder.parents[:2]):
        path.chmod(path.stat().st_mode | 0o055)
    running = Running(folder, spaces)
    yield running
    running.stop()


def test_it_has_one_right_and_no_other(enforcer):
    pid = enforcer.process.pid
    status = dict(line.split(":\t", 1) for line in open(f"/proc/{pid}/status") if ":\t" in line)
    assert "chancery" in status["Name"]
    assert "0" not in status["Uid"].split()
    for name in ("CapEff", "CapPrm", "CapInh", "CapAmb", "CapBnd"):
        assert int(status[name], 16) == 1 << 12, name  # CAP_NET_ADMIN
    assert status["NoNewPrivs"].strip() == "1"


def test_what_is_approved_is_refused_until_its_time_is_over(enforcer, tmp_path):
    """Through `chancery blocks apply`, by a user without any right."""
    capture = tmp_path / "empty.pcap"
    capture.write_bytes(bytes.fromhex("d4c3b2a1020004000000000000000000ffff000001000000"))
    blocks(tmp_path, "propose", "-r", str(capture))
    now = time.time_ns()
    with sqlite3.connect(tmp_path / "blocks.db") as database:
        for target in (f"tcp/{FAR}:5222", "chat.example.net"):
            database.execute(
                "INSERT INTO entries (target, state, application, category, reason, clients, client_count, flows, first_seen,"
                " last_seen, proposed_at, decided_by, decided_at, expires_at)"
                " VALUES (?, 'approved', 'Chat', 0, 'seen', '10.0.0.5', 1, 1, ?, ?, ?, 'test', ?, 0)", (target, now, now, now, now))
    database.close()
    assert enforcer.can_reach(5222)
    done = json.loads(blocks(tmp_path, "apply", "--socket", str(enforcer.socket), "--json").stdout)
    assert done == {"applied": True, "answer": "ok 1"}
    assert not enforcer.can_reach(5222) and enforcer.can_reach(8000)
    assert enforcer.ask(enforcer.request(f"tcp/{FAR}:5222 2")) == "ok 1\n"
    wait_until(lambda: enforcer.can_reach(5222), "the end of its time", 60)
    assert len(enforcer.said("applied")) >= 2


def test_an_empty_list_takes_all_back(enforcer):
    assert enforcer.ask(enforcer.request(f"{FAR} 600")) == "ok 1\n"
    assert not enforcer.can_reach(8000)
    assert enforcer.ask(enforcer.request()) == "ok 0\n"
    assert enforcer.can_reach(8000)


@pytest.mark.parametrize("lines", [
    ["127.0.0.1 60"], [f"{HOST} 60"], [f"tcp/{HOST}:5222 60"], ["192.0.2.9 60"], ["tcp/22 60"], ["chat.example.net 60"],
    ["198.51.100.0/24 60"], ["198.51.100.7 0"], ["198.51.100.7 999999999"], ["198.51.100.7 60 }; flush ruleset"],
    ["198.51.100.7 60", "include \"/etc/shadow\" 60"]], ids=lambda lines: lines[-1].replace("/", "_"))
def test_hostile_requests_are_refused_whole(enforcer, lines):
    assert enforcer.ask(enforcer.request("198.51.100.77 600")) == "ok 1\n"
    refused = len(enforcer.said("refused"))
    assert enforcer.ask(enforcer.request("198.51.100.78 600", *lines)).startswith("refused: line ")
    assert "198.51.100.77" in enforcer.rules() and "198.51.100.78" not in enforcer.rules()
    assert len(enforcer.said("refused")) == refused + 1


@pytest.mark.parametrize("octets, end, why", [
    (b"", True, "no request"), (b"GET / HTTP/1.1\r\n\r\n", True, "no request"), (b"chancery-enforcer 1\n198.51.100.7 60\n", True, "not whole"),
    (b"chancery-enforcer 1\n198.51.100.7 60\n", False, "not whole"), (b"x" * (2 << 20), True, "too large")],
    ids=["nothing", "http", "cut", "slow", "large"])
def test_what_is_no_request_is_refused_in_bounded_time(enforcer, octets, end, why):
    answer = enforcer.ask(octets, end=end)
    assert why in answer or (answer == "" and len(octets) > 1 << 20)  # cut off while it still sent
    assert why in enforcer.said("refused")[-1]["why"]


def test_another_user_may_not_ask(enforcer):
    assert enforcer.ask(enforcer.request(), user="daemon") == "refused: this user may not ask\n"
