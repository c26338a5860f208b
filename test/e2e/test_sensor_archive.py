"""chancery sensor writes what it reads into a log of its own: once each, marked as seen; search, export, prove and verify
work over it, and a killed sensor goes on where it was. Frames are played into one end of a pair of virtual interfaces."""
import json
import os
import pathlib
import shutil
import signal
import socket
import struct
import subprocess
import time

import pytest

CHANCERY = os.environ.get("CHANCERY", "build/dev/chancery")
SERVER = ("198.51.100.2", 6667)


class Talk:
    """One TCP conversation with the server, as Ethernet frames."""

    def __init__(self, address, port):
        self.client, self.next, self.frames = (address, port), {"c": 1000, "s": 5000}, []
        self._send("c", 2)
        self._send("s", 0x12)
        self._send("c", 0x10)

    def _send(self, side, flags, payload=b""):
        source, target = (self.client, SERVER) if side == "c" else (SERVER, self.client)
        other = "s" if side == "c" else "c"
        segment = struct.pack(">HHIIBBHHH", source[1], target[1], self.next[side], 0 if flags == 2 else self.next[other],
                              0x50, flags, 65_000, 0, 0) + payload
        header = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(segment), 1, 0x4000, 64, 6, 0,
                             socket.inet_aton(source[0]), socket.inet_aton(target[0]))
        self.next[side] += len(payload) + (1 if flags & 3 else 0)
        return self.frames.append(b"\x02\0\0\0\0\1\x02\0\0\0\0\2\x08\0" + header + segment)

    def say(self, side, text):
        self._send(side, 0x18, text.encode())
        self._send("s" if side == "c" else "c", 0x10)
        return self


def conversation(port, words):
    """anna says `words` in a room, bjorn is shown them; anna signs in with a password."""
    anna, bjorn = Talk("192.0.2.1", port), Talk("192.0.2.2", port)
    anna.say("c", "PASS swordfish\r\nNICK anna\r\nUSER anna 0 * :Anna\r\n").say("s", ":irc.example 001 anna :Welcome\r\n")
    bjorn.say("c", "NICK bjorn\r\nUSER bjorn 0 * :B\r\n").say("s", ":irc.example 001 bjorn :Welcome\r\n")
    frames = [*anna.frames, *bjorn.frames]
    for text in words:
        del anna.frames[:], bjorn.frames[:]
        anna.say("c", f"PRIVMSG #tea :{text}\r\n")
        bjorn.say("s", f":anna!a@h PRIVMSG #tea :{text}\r\n")
        frames += [*anna.frames, *bjorn.frames]
    return frames


PLAYER = """
import socket, sys
out = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
out.bind(("play0", 0))
for line in sys.stdin:
    out.send(bytes.fromhex(line))
"""


def run(*words, check=True):
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, timeout=120)
    assert not check or done.returncode == 0, done.stdout + done.stderr
    return done


@pytest.fixture(scope="module")
def space():
    if os.geteuid() != 0:
        pytest.skip("network namespaces need root")
    if not shutil.which("ip"):
        pytest.skip("ip is not installed")
    name = f"chs{os.getpid()}"
    try:
        run("ip", "netns", "add", name)
        run("ip", "-n", name, "link", "add", "play0", "type", "veth", "peer", "name", "mirror0")
        for interface in ("play0", "mirror0"):
            run("ip", "-n", name, "link", "set", interface, "up")
    except AssertionError as error:
        run("ip", "netns", "del", name, check=False)
        pytest.skip(f"this machine lets nobody make network namespaces: {error}")
    yield name
    run("ip", "netns", "del", name, check=False)


class Bed:
    def __init__(self, space, folder):
        self.space, self.folder, self.archive, self.runs = space, folder, folder / "archive", 0
        for parent in (folder, *folder.parents):
            if str(parent) in ("/", "/tmp"):
                break
            parent.chmod(parent.stat().st_mode | 0o055)
        run(CHANCERY, "keys", "create", "--keys", folder / "archive.keys")
        (folder / "key.pub").write_text(run(CHANCERY, "signer", "create", "--key", folder / "signer.key").stdout)
        run("chown", "-R", "nobody", folder / "archive.keys", folder / "signer.key")
        (folder / "sensor.yaml").write_text("""interface: mirror0
folder: state
report_seconds: 1
user: nobody
archive: {folder: archive, site: hq, node: sensor-1, signer: {key_file: signer.key}}
""")

    def start(self):
        self.runs += 1
        self.log = self.folder / f"sensor-{self.runs}.log"
        with open(self.log, "w") as log:
            self.process = subprocess.Popen(["ip", "netns", "exec", self.space, CHANCERY, "sensor", "--json", "-c",
                                             self.folder / "sensor.yaml"], stdout=log, stderr=log)
        self.await_line(lambda line: line.get("text", line.get("message")) == "watching" or '"watching"' in json.dumps(line))
        return self

    def lines(self):
        return [json.loads(line) for line in self.log.read_text().splitlines() if line.startswith("{") and line.endswith("}")]

    def await_line(self, wanted):
        end = time.monotonic() + 60
        while not any(wanted(line) for line in self.lines()):
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() < end, self.log.read_text()
            time.sleep(0.02)

    def play(self, frames):
        run_in = subprocess.run(["ip", "netns", "exec", self.space, "/usr/bin/python3", "-c", PLAYER], text=True, timeout=60,
                                input="".join(frame.hex() + "\n" for frame in frames), capture_output=True)
        assert run_in.returncode == 0, run_in.stderr

    def await_published(self, recorded):
        """All that was seen in this run is recorded, durable, and under a checkpoint."""
        self.await_line(lambda line: line.get("recorded") == recorded and line["published"] >= recorded and
                        line["published"] >= line["durable"] - 2 and line["indexed"] >= line["published"])

    def end(self):
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(30) == 0, self.log.read_text()

    def kill(self):
        self.process.kill()
        self.process.wait(30)

    def command(self, *words, check=True):
        return run(CHANCERY, *words, check=check)

    def records(self, *kinds):
        lines = self.command("export", "-d", self.archive, "--format", "jsonl").stdout.splitlines()
        return [record for record in map(json.loads, lines) if record["kind"] in kinds]

    def verify(self):
        return self.command("verify", self.archive, "--key", self.folder / "key.pub")


@pytest.fixture
def bed(space, tmp_path):
    made = Bed(space, tmp_path)
    yield made
    if made.process.poll() is None:
        made.kill()


def test_a_log_of_its_own(bed):
    bed.start()
    bed.play(conversation(40_000, ["the harbour at noon", "the harbour at noon", "bring tea"]))
    bed.await_published(6)  # two sign-ins, one secret in clear, three messages
    bed.end()
    messages = bed.records("message")
    assert [m["text"] for m in messages] == ["the harbour at noon", "the harbour at noon", "bring tea"]
    for message in messages:
        assert (message["verdict"], message["direction"], message["network"]) == ("seen", "out", "sensor-1")
        assert (message["client"], message["server"]) == ("192.0.2.1:40000", "198.51.100.2:6667")
        assert message["log"].startswith("hq/sensor-1/")
    deliveries = bed.records("delivery")
    assert [d["ref"] for d in deliveries] == [f"{m['log']}#{m['index']}" for m in messages]
    assert {d["to"][0] for d in deliveries} == {"192.0.2.2:40000"} and {d["verdict"] for d in deliveries} == {"seen"}
    (alert,) = bed.records("credential")
    assert (alert["from"], alert["text"]) == ("anna", None)
    assert "swordfish" not in bed.command("export", "-d", bed.archive, "--format", "jsonl").stdout
    assert [s["accepted"] for s in bed.records("sign_in")] == [True, True]
    bed.verify()
    found = json.loads(bed.command("search", "-d", bed.archive, "harbour", "--network", "sensor-1", "--verdict", "seen",
                                   "--json").stdout)
    assert found["complete"] and len(found["hits"]) == 2
    assert "[seen by sensor-1]" in bed.command("search", "-d", bed.archive, "tea").stdout
    assert bed.command("archive", "status", "-d", bed.archive).stdout
    bed.command("archive", "reindex", "-d", bed.archive)
    assert len(json.loads(bed.command("search", "-d", bed.archive, "harbour", "--json").stdout)["hits"]) == 2
    proof = bed.folder / "proof"
    bed.command("prove", "-d", bed.archive, f"{messages[0]['log']}#{messages[0]['index']}", "-o", proof)
    shown = bed.command("verify", proof, "--key", bed.folder / "key.pub").stdout
    assert "seen" in shown and "the harbour at noon" in shown


def test_a_killed_sensor_goes_on(bed):
    bed.start()
    bed.play(conversation(40_000, ["before one", "before two"]))
    bed.await_published(5)
    bed.kill()
    bed.verify()
    bed.start()
    bed.play(conversation(41_000, ["after one"]))
    bed.await_published(4)
    bed.end()
    assert [m["text"] for m in bed.records("message")] == ["before one", "before two", "after one"]
    assert len(bed.records("epoch")) == 1, "the same log"
    assert len(bed.records("gap")) == 1, "the unclean end is said"
    rooms = {m["conversation"] for m in bed.records("message")}
    assert len(rooms) == 1 and [m["sequence"] for m in bed.records("message")] == [0, 1, 2]
    bed.verify()


def test_an_archive_that_cannot_be_written_is_said_before_anything_is_captured(bed, space):
    bed.process = subprocess.Popen(["true"])
    run("chown", "-R", "root", bed.folder / "archive.keys")
    done = run("ip", "netns", "exec", space, CHANCERY, "sensor", "-c", bed.folder / "sensor.yaml", check=False)
    assert done.returncode == 2 and "cannot be written by nobody" in done.stderr, done.stderr
