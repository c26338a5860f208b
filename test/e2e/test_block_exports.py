"""What `chancery blocks export` writes is taken by the programs it is written for, whole and with its end times."""
import os
import shutil
import sqlite3
import subprocess
import time

import pytest

CHANCERY = os.environ["CHANCERY"]
TARGETS = ["198.51.100.7", "2001:db8::7", "tcp/198.51.100.8:5222", "udp/[2001:db8::8]:5223", "tcp/1863", "udp/6881",
           "chat.example.net", "web.chat.example.net", "xn--bcher-kva.example", "a_b.example"]


def blocks(folder, *words):
    return subprocess.run([CHANCERY, "blocks", *words, "-d", str(folder)], capture_output=True, text=True, check=True, timeout=120)


@pytest.fixture(params=[0, 600, 400 * 86_400], ids=["for-good", "ten-minutes", "beyond-a-year"])
def approved(request, tmp_path):
    """A list with every kind of entry, in force."""
    capture = tmp_path / "empty.pcap"
    capture.write_bytes(bytes.fromhex("d4c3b2a1020004000000000000000000ffff000001000000"))
    blocks(tmp_path, "propose", "-r", str(capture))
    now = time.time_ns()
    with sqlite3.connect(tmp_path / "blocks.db") as database:
        for target in TARGETS:
            database.execute(
                "INSERT INTO entries (target, state, application, category, reason, clients, client_count, flows, first_seen,"
                " last_seen, proposed_at, decided_by, decided_at, expires_at)"
                " VALUES (?, 'approved', 'Chat', 0, 'seen', '10.0.0.5', 1, 1, ?, ?, ?, 'test', ?, ?)",
                (target, now, now, now, now, now + request.param * 10**9 if request.param else 0))
    database.close()
    return tmp_path


def export(folder, form):
    path = folder / f"exported.{form}"
    blocks(folder, "export", "--format", form, "-o", str(path))
    return path


def tool(name):
    found = shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    return found or pytest.skip(f"{name} is not installed")


def accepts(*command, **options):
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, **options)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture
def space():
    """A network namespace: rules and sets of this machine stay as they are."""
    if os.geteuid() != 0:
        pytest.skip("network namespaces need root")
    name = f"chx{os.getpid()}"
    if subprocess.run(["ip", "netns", "add", name], capture_output=True).returncode != 0:
        pytest.skip("this machine lets nobody make network namespaces")
    yield ["ip", "netns", "exec", name]
    subprocess.run(["ip", "netns", "del", name], check=True)


def test_nft(approved, space):
    nft = tool("nft")
    path = export(approved, "nft")
    accepts(*space, nft, "-c", "-f", str(path))
    for _ in range(2):  # the file replaces the table, also its own
        accepts(*space, nft, "-f", str(path))
    listed = accepts(*space, nft, "list", "table", "inet", "chancery")
    for element in ("198.51.100.7", "2001:db8::7", "198.51.100.8 . tcp . 5222", "2001:db8::8 . udp . 5223", "udp . 6881"):
        assert element in listed


def test_ipset(approved, space):
    ipset = tool("ipset")
    if subprocess.run([*space, ipset, "list"], capture_output=True).returncode != 0:
        pytest.skip("this kernel has no ipset")
    path = export(approved, "ipset")
    for _ in range(2):
        with open(path) as text:
            accepts(*space, ipset, "restore", stdin=text)
    listed = accepts(*space, ipset, "save")
    for element in ("addresses4 198.51.100.7", "addresses6 2001:db8::7", "endpoints4 198.51.100.8,tcp:5222",
                    "endpoints6 2001:db8::8,udp:5223", "ports-tcp 1863", "ports-udp 6881"):
        assert f"add chancery-{element}" in listed


def test_rpz(approved):
    path = export(approved, "rpz")
    out = accepts(tool("named-checkzone"), "-D", "-k", "ignore", "-o", "-", "rpz.chancery", str(path))
    names = {line.split()[0] for line in out.splitlines() if "CNAME" in line.split()}
    assert names == {f"{name}.rpz.chancery." for name in (
        "chat.example.net", "*.chat.example.net", "xn--bcher-kva.example", "*.xn--bcher-kva.example", "a_b.example", "*.a_b.example",
        "32.7.100.51.198.rpz-ip", "128.7.0.0.0.0.0.db8.2001.rpz-ip")}


def test_squid(approved):
    squid = tool("squid")
    config = approved / "squid.conf"
    config.write_text(f"http_port 127.0.0.1:3128\npid_filename none\ncache_log {approved}/cache.log\n"
                      + export(approved, "squid").read_text() + "http_access allow localhost\n")
    done = subprocess.run([squid, "-k", "parse", "-f", str(config)], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    said = done.stderr.lower()
    assert "warning" not in said and "error" not in said and "fatal" not in said, done.stderr


def test_hosts(approved):
    unshare = tool("unshare")
    if os.geteuid() != 0 or subprocess.run([unshare, "-m", "true"], capture_output=True).returncode != 0:
        pytest.skip("this machine lets nobody mount a file over /etc/hosts")
    path = export(approved, "hosts")
    found = accepts(unshare, "-m", "sh", "-c", 'mount --bind "$0" /etc/hosts && getent -s files ahosts chat.example.net', str(path))
    assert {line.split()[0] for line in found.splitlines()} <= {"0.0.0.0", "::"} and found
