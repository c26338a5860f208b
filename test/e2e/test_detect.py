"""chancery detect: the command as people type it, on files and live."""
import gzip
import json
import os
import signal
import socket
import struct
import subprocess
import threading

import pytest

CHANCERY = os.environ["CHANCERY"]
BEGIN = 1_700_000_000
KEYS = ["packets", "bytes", "first", "last", "applications", "flows", "messages", "credentials", "urls", "unnamed"]


def frame(side, sequence, acknowledgement, flags, payload=b""):
    ends = (socket.inet_aton("192.0.2.1"), socket.inet_aton("198.51.100.2"))
    ports = (40_000, 6667)
    source, target = (0, 1) if side == "c" else (1, 0)
    segment = struct.pack(">HHIIBBHHH", ports[source], ports[target], sequence, acknowledgement, 0x50, flags, 65_000, 0, 0)
    header = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 40 + len(payload), 1, 0x4000, 64, 6, 0, ends[source], ends[target])
    return b"\x02\0\0\0\0\1\x02\0\0\0\0\2\x08\0" + header + segment + payload


def irc_capture():
    said = [("c", b"PASS swordfish\r\nNICK anna\r\nUSER anna 0 * :Anna\r\n"), ("s", b":irc.example 001 anna :Welcome\r\n"),
            ("c", b"PRIVMSG #tea :hello\r\n"), ("s", b":bjorn!b@h PRIVMSG anna :hi anna\r\n")]
    sequence = {"c": 1001, "s": 5001}
    frames = [frame("c", 1000, 0, 2), frame("s", 5000, 1001, 0x12), frame("c", 1001, 5001, 0x10)]
    for side, text in said:
        opposite = "s" if side == "c" else "c"
        frames.append(frame(side, sequence[side], sequence[opposite], 0x18, text))
        sequence[side] += len(text)
        frames.append(frame(opposite, sequence[opposite], sequence[side], 0x10))
    out = struct.pack("<IHHIIII", 0xA1B2C3D4, 2, 4, 0, 0, 262_144, 1)
    for i, each in enumerate(frames):
        out += struct.pack("<IIII", BEGIN + i, 250_000, len(each), len(each)) + each
    return out, len(frames), sum(map(len, frames))


def detect(*arguments, **options):
    return subprocess.run([CHANCERY, "detect", *map(str, arguments)], capture_output=True, text=True, timeout=120, **options)


@pytest.fixture
def capture(tmp_path):
    path = tmp_path / "irc.pcap"
    path.write_bytes(irc_capture()[0])
    return path


def test_json_has_the_documented_shape(capture):
    done = detect("-r", capture, "--json")
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    _, packets, size = irc_capture()
    assert list(answer)[:len(KEYS)] == KEYS
    assert (answer["packets"], answer["bytes"]) == (packets, size)
    assert answer["first"] == "2023-11-14T22:13:20.250000Z"
    (application,) = answer["applications"]
    assert {key: application[key] for key in ("name", "category", "flows", "bytes", "hosts", "managed")} == \
        {"name": "IRC", "category": "im", "flows": 1, "bytes": size, "hosts": 1, "managed": 0}
    (flow,) = answer["flows"]
    assert (flow["transport"], flow["client"], flow["server"]) == ("tcp", "192.0.2.1:40000", "198.51.100.2:6667")
    assert flow["application"] == "IRC" and flow["evidence"].startswith("payload")
    assert [(each["from"], each["to"], each["text"], each["copy_of"]) for each in answer["messages"]] == \
        [("anna", "#tea", "hello", None), ("bjorn", "anna", "hi anna", None)]
    assert answer["messages"][0]["time"] == "2023-11-14T22:13:27.250000Z"


def test_the_secret_of_a_credential_is_nowhere(capture, tmp_path):
    report = tmp_path / "report.html"
    done = detect("-r", capture, "--json", "--html", report)
    (credential,) = json.loads(done.stdout)["credentials"]
    assert (credential["protocol"], credential["user"]) == ("irc", "anna")
    assert "swordfish" not in done.stdout + done.stderr + report.read_text()


def test_table_and_report(capture, tmp_path):
    report = tmp_path / "report.html"
    done = detect("-r", capture, capture, "--html", report)
    assert done.returncode == 0, done.stderr
    assert "IRC" in done.stdout and "Messengers" in done.stdout
    html = report.read_text()
    assert html.startswith("<!DOCTYPE html>") and "<svg" in html and "IRC" in html
    assert "<script" not in html and "src=" not in html and "href=" not in html


def test_gateway_flows_are_managed(capture):
    answer = json.loads(detect("-r", capture, "--json", "--gateway", "198.51.100.2:6667").stdout)
    assert answer["applications"][0]["managed"] == 1
    assert detect("-r", capture, "--gateway", "nonsense").returncode == 2


def test_gzip_and_standard_input(capture, tmp_path):
    packed = tmp_path / "irc.pcap.gz"
    packed.write_bytes(gzip.compress(capture.read_bytes()))
    plain = detect("-r", capture, "--json").stdout
    assert detect("-r", packed, "--json").stdout == plain
    with open(packed, "rb") as file:
        assert detect("-r", "-", "--json", stdin=file).stdout == plain


def test_what_cannot_be_read_is_said(capture, tmp_path):
    missing = detect("-r", tmp_path / "none.pcap")
    assert missing.returncode == 2 and "none.pcap cannot be opened" in missing.stderr
    text = tmp_path / "notes.txt"
    text.write_text("not a capture at all, but long enough to have a header's size\n")
    assert detect("-r", text).returncode == 2
    short = tmp_path / "short.pcap"
    short.write_bytes(capture.read_bytes()[:-7])
    done = detect("-r", short, "--json")
    assert done.returncode == 0 and "in part" in done.stderr
    assert json.loads(done.stdout)["skipped"]["damaged_file"] == 1
    assert detect().returncode == 2
    assert detect("-r", capture, "-i", "lo").returncode == 2
    assert detect("-r", capture, "--html", tmp_path / "no" / "report.html").returncode == 2


def test_a_missing_interface_is_said():
    done = detect("-i", "nosuch0", "--seconds", "1")
    assert done.returncode == 2
    assert "nosuch0" in done.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="capturing needs root")
def test_live_on_loopback_without_rights():
    """The process has no right left while it captures, and what passes is read."""
    process = subprocess.Popen([CHANCERY, "detect", "-i", "lo", "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        while True:  # until rights are dropped, which is after the socket was opened
            with open(f"/proc/{process.pid}/status", encoding="ascii") as file:
                status = dict(line.split(":\t", 1) for line in file.read().splitlines() if ":\t" in line)
            if status["NoNewPrivs"] == "1":
                break
            assert process.poll() is None, process.stderr.read()
        for key in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
            assert int(status[key], 16) == 0, key
        assert "0" not in status["Uid"].split()
        listener = socket.create_server(("127.0.0.1", 0))
        accepted = []
        thread = threading.Thread(target=lambda: accepted.append(listener.accept()[0]))
        thread.start()
        client = socket.create_connection(listener.getsockname())
        thread.join()
        client.sendall(b"NICK anna\r\nUSER anna 0 * :Anna\r\n")
        accepted[0].recv(1000)
        accepted[0].sendall(b":irc.example 001 anna :Welcome\r\n")
        client.recv(1000)
        client.sendall(b"PRIVMSG #tea :seen live\r\n")
        accepted[0].recv(1000)
        client.close()
        accepted[0].close()
        process.send_signal(signal.SIGTERM)
        out, said = process.communicate(timeout=100)
    finally:
        process.kill()
    assert process.returncode == 0, (process.returncode, said.decode())
    answer = json.loads(out)
    assert "dropped" in answer
    assert "seen live" in [message["text"] for message in answer["messages"]]
