"""Each forward came after its covering sync: what the kernel was asked to do, in its order, by strace on the real disk.

A forwarded text is found in what the gateway gives to a socket; the archive says which record it is; the segment file says
which octets hold that record (docs/formats/journal.md); the trace says when they were written and when they were synced.
"""
import os
import re
import subprocess
import threading
import uuid

import pytest

from beds.gateway import Gateway
from beds.inspircd import Inspircd
from beds.process import wait_until
from clients.raw_irc import RawIrc

PAIRS = 4
BURSTS = 12
BURST = 4  # lines in one write
SYSTEM_CALLS = "pwrite64,pwritev,pwritev2,write,writev,fdatasync,fsync,sendto,sendmsg,sendmmsg"
SEGMENT_HEADER, GROUP_HEADER = 256, 68

LINE = re.compile(r"^(?P<pid>\d+) +[\d.]+ (?P<text>.*)$")
CALL = re.compile(r"^(?P<name>\w+)\((?P<fd>\d+)<(?P<path>[^>]*)>(?P<rest>.*)$")
RESUMED = re.compile(r"^<\.\.\. (?P<name>\w+) resumed>(?P<rest>.*)$")


def may_trace(folder):
    try:
        return subprocess.run(["strace", "-o", folder / "try", "-e", "trace=write", "true"], capture_output=True).returncode == 0
    except FileNotFoundError:
        return False


def where_records_are(archive):
    """index → (segment's path, first octet, octet behind the last one) of the group that holds the record."""
    places = {}
    for segment in archive.rglob("segments/*.seg"):
        octets, at = segment.read_bytes(), SEGMENT_HEADER
        while octets[at:at + 4] == b"\x9cGRP":
            count, size = (int.from_bytes(octets[at + k:at + k + 4], "big") for k in (8, 12))
            first, end = int.from_bytes(octets[at + 16:at + 24], "big"), at + GROUP_HEADER + size
            for index in range(first, first + count):
                places[index] = (str(segment), at, end)
            at = end
    return places


class Disk:
    """What is on stable storage, as far as the calls that have returned allow to say."""

    def __init__(self):
        self.written, self.durable = {}, {}

    def write(self, path, begin, size):
        self.written.setdefault(path, []).append((begin, begin + size))

    def snapshot(self, path):
        return list(self.written.get(path, []))

    def sync(self, path, snapshot):
        self.durable[path] = snapshot + [span for span in self.durable.get(path, []) if span not in snapshot]

    def covers(self, path, begin, end):
        for a, b in sorted(self.durable.get(path, [])):
            if a <= begin < b:
                begin = b
        return begin >= end


def forwards(trace, markers):
    """Plays the trace; yields (marker, what was durable when the call that forwards it began), and counts calls."""
    disk, begun = Disk(), {}
    for line in trace.splitlines():
        match = LINE.match(line)
        if not match:
            continue
        pid, text = match["pid"], match["text"]
        if resumed := RESUMED.match(text):
            call, snapshot = begun.pop(pid, (None, None))
            finish(disk, call, snapshot, resumed["rest"])
            continue
        if not (call := CALL.match(text)):
            continue
        if call["path"].startswith(("socket:", "TCP")):
            for marker in markers.findall(call["rest"]):
                yield marker, disk
        snapshot = disk.snapshot(call["path"]) if call["name"] in ("fdatasync", "fsync") else None
        if text.endswith("<unfinished ...>"):
            begun[pid] = call, snapshot
        else:
            finish(disk, call, snapshot, call["rest"])


def finish(disk, call, snapshot, rest):
    result = re.search(r"\) += (-?\d+)[^=]*$", rest)
    if call is None or not result or int(result[1]) < 0:
        return
    if call["name"].startswith("pwrite"):
        offset = re.search(r", (\d+)(?:\) += \d+[^=]*| <unfinished \.\.\.>|, 0\) += \d+[^=]*)$", call["rest"])
        disk.write(call["path"], int(offset[1]), int(result[1]))
    elif snapshot is not None:
        disk.sync(call["path"], snapshot)


def too_early(trace, markers, records, places):
    """The markers that were given to a socket before their record was durable, and all that were seen."""
    index = {r["text"]: r["index"] for r in records if r["kind"] == "message"}
    early, seen = [], []
    for marker, disk in forwards(trace, markers):
        seen.append(marker)
        if not disk.covers(*places[index[marker]]):
            early.append(marker)
    return early, seen


def talk(port, name, mark, count):
    """One says `count` lines to another, in bursts; returns what was heard."""
    speaker, receiver = RawIrc(port, f"s{name}"), RawIrc(port, f"r{name}")
    for number in range(0, count, BURST):
        speaker.send(*(f"PRIVMSG r{name} :{mark}.{name}.{number + k}" for k in range(BURST)))
        wait_until(lambda: receiver.receive(0.5) and len(receiver.heard()) > number or len(receiver.heard()) > number, "an answer", 30, 0)
    wait_until(lambda: receiver.receive(0.5) or len(receiver.heard()) >= count, "the rest", 30, 0)
    while len(receiver.heard()) < count and receiver.receive(10):
        pass
    heard = receiver.heard()
    speaker.socket.close()
    receiver.socket.close()
    return heard


def test_each_forward_came_after_its_covering_sync(tmp_path, authority):
    if not may_trace(tmp_path):
        pytest.skip("this machine lets nobody trace a process (ptrace), or strace is not installed")
    for part in ("inspircd", "gateway"):
        (tmp_path / part).mkdir()
    server, gateway = Inspircd(tmp_path / "inspircd", authority).start(), Gateway(tmp_path / "gateway", authority)
    gateway.listen("irc", "irc", "none", server.plain_port, "none")
    gateway.overrides["limits"] = {"rate_units_per_second": 0}
    log = tmp_path / "trace"
    # -D: the gateway stays our child, and gets our signals. Nobody can look for leaks under ptrace.
    gateway.wrapper = ["strace", "-D", "-f", "-y", "-ttt", "-s", "65536", "-o", str(log), "-e", f"trace={SYSTEM_CALLS}"]
    gateway.environment = {"ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":detect_leaks=0"}
    mark, heard = f"trace{uuid.uuid4().hex[:12]}", {}
    try:
        gateway.start()
        port = gateway.ports["irc"]
        threads = [threading.Thread(target=lambda i=i: heard.update({i: talk(port, i, mark, BURSTS * BURST)})) for i in range(PAIRS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        status = gateway.stop()
        server.stop()
    assert status == 0, gateway.process.tail()
    wait_until(lambda: f"{gateway.process.child.pid} " in (end := log.read_text(errors="replace")[-300:]) and "+++ exited" in end, "the end of the trace", 30)
    assert [len(heard[i]) for i in range(PAIRS)] == [BURSTS * BURST] * PAIRS

    trace, records, places = log.read_text(errors="replace"), gateway.records(), where_records_are(gateway.archive)
    markers = re.compile(re.escape(mark) + r"\.\d+\.\d+(?=\\r)")
    early, seen = too_early(trace, markers, records, places)
    assert len(set(seen)) == PAIRS * BURSTS * BURST, "the trace shows each forward"
    assert len(seen) == 2 * len(set(seen)), "to the server, and from it to the receiver"
    assert not early, f"{len(early)} were forwarded before they were durable, e.g. {early[:5]}"

    # The same trace without its syncs must be found wanting, or the check above proves nothing.
    unsynced = "\n".join(l for l in trace.splitlines() if "fdatasync" not in l and "fsync" not in l)
    assert set(too_early(unsynced, markers, records, places)[0]) == set(seen)
    # Nor may a sync count that returns only afterwards.
    late = trace.splitlines()
    syncs = [l for l in late if re.search(r"\bf(data)?sync\(", l)]
    assert syncs and set(too_early("\n".join([l for l in late if l not in set(syncs)] + syncs), markers, records, places)[0])
