#!/usr/bin/python3
"""Races `chancery detect` against ndpiReader on one core and one generated capture, and prints the ratio.

    bench/sensor/race.py --chancery PROGRAM [--folder DIR] [--megabytes N] [--runs N] [--make] [--long]

The capture is made once and kept in DIR. Its bytes: 40 % clear IM (two thirds XMPP, one third IRC; each message is one
packet, with its acknowledgement), 25 % web in clear, 25 % TLS, 8 % BitTorrent, 2 % DNS; whole flows with handshake and
end, 48 at a time. Both read the file once before it counts, then in turn, median of --runs (3). --make only makes the
capture, so that a race need not wait for it. --long shows that memory stays flat: the same mix at a tenth of the length and at
all of it.
"""
import argparse
import os
import pathlib
import random
import statistics
import struct
import subprocess
import sys
import time

MIX = [("xmpp", 0.27), ("irc", 0.13), ("web", 0.25), ("tls", 0.25), ("torrent", 0.08), ("dns", 0.02)]
AT_ONCE = 48
WORDS = "the quarterly figures look fine to me see you at lunch could you send that file again thanks a lot".split()


def ip(number, base):
    return bytes([base, number >> 16 & 255, number >> 8 & 255, number & 255 or 1])


class Flow:
    """Frames of one conversation, one after the other."""

    def __init__(self, kind, number, rng):
        self.rng = rng
        self.client, self.server = ip(number % 20_000, 10), ip(number % 977, 198)
        self.ports = (20_000 + number % 40_000, {"xmpp": 5222, "irc": 6667, "web": 80, "tls": 443, "torrent": 6881,
                                                 "dns": 53}[kind])
        self.sequence = [rng.getrandbits(32), rng.getrandbits(32)]
        self.frames = getattr(self, kind)()

    def packet(self, side, protocol, segment):
        source, target = (self.client, self.server) if side == 0 else (self.server, self.client)
        header = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(segment), 1, 0x4000, 64, protocol, 0, source, target)
        return b"\x02\0\0\0\0\1\x02\0\0\0\0\2\x08\0" + header + segment

    def tcp(self, side, flags, payload=b""):
        ports = self.ports if side == 0 else self.ports[::-1]
        acknowledgement = 0 if flags == 2 else self.sequence[1 - side]
        segment = struct.pack(">HHIIBBHHH", *ports, self.sequence[side], acknowledgement, 0x50, flags, 65_000, 0, 0)
        self.sequence[side] = (self.sequence[side] + len(payload) + (1 if flags & 3 else 0)) & 0xFFFFFFFF
        return self.packet(side, 6, segment + payload)

    def open(self):
        yield self.tcp(0, 2)
        yield self.tcp(1, 0x12)
        yield self.tcp(0, 0x10)

    def close(self):
        yield self.tcp(0, 0x11)
        yield self.tcp(1, 0x11)
        yield self.tcp(0, 0x10)

    def say(self, side, payload):
        yield self.tcp(side, 0x18, payload)
        yield self.tcp(1 - side, 0x10)

    def bulk(self, side, octets):
        block = self.rng.randbytes(1400)
        for i in range(octets // 1400):
            yield self.tcp(side, 0x10, block)
            if i % 2:
                yield self.tcp(1 - side, 0x10)

    def text(self):
        return " ".join(self.rng.choices(WORDS, k=self.rng.randint(4, 20)))

    def xmpp(self):
        header = ("<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' {}='im.example' "
                  "version='1.0'>")
        yield from self.open()
        yield from self.say(0, header.format("to").encode())
        yield from self.say(1, header.format("from").encode())
        me, you = f"user{self.ports[0]}@im.example", f"peer{self.rng.randrange(999)}@im.example"
        for i in range(self.rng.randint(50, 400)):
            text = self.text()
            if i % 2:
                stanza = f"<message from='{you}/desk' to='{me}/phone' id='m{i}' type='chat'><body>{text}</body></message>"
            else:
                stanza = f"<message to='{you}' id='m{i}' type='chat'><body>{text}</body></message>"
            yield from self.say(i % 2, stanza.encode())
        yield from self.close()

    def irc(self):
        nick = f"user{self.ports[0]}"
        yield from self.open()
        yield from self.say(0, f"NICK {nick}\r\nUSER {nick} 0 * :x\r\n".encode())
        yield from self.say(1, f":irc.example 001 {nick} :Welcome\r\n".encode())
        for i in range(self.rng.randint(50, 400)):
            prefix = f":peer{self.rng.randrange(99)}!p@host.example " if i % 3 else ""
            yield from self.say(1 if i % 3 else 0, f"{prefix}PRIVMSG #room{self.ports[0] % 99} :{self.text()}\r\n".encode())
        yield from self.close()

    def web(self):
        yield from self.open()
        for _ in range(self.rng.randint(1, 6)):
            size = self.rng.randint(2, 60) * 1400
            yield from self.say(0, b"GET /page HTTP/1.1\r\nHost: www.example.org\r\nUser-Agent: x\r\nAccept: */*\r\n\r\n")
            yield from self.say(1, f"HTTP/1.1 200 OK\r\nContent-Type: image/png\r\nContent-Length: {size}\r\n\r\n".encode())
            yield from self.bulk(1, size)
        yield from self.close()

    def tls(self):
        name = f"host{self.rng.randrange(5000)}.example.net".encode()
        server_name = struct.pack(">HHHBH", 0, len(name) + 5, len(name) + 3, 0, len(name)) + name
        body = b"\x03\x03" + self.rng.randbytes(32) + b"\0\0\x04\x13\x01\xc0\x2f\x01\0" + \
            struct.pack(">H", len(server_name)) + server_name
        hello = b"\x01" + struct.pack(">I", len(body))[1:] + body
        yield from self.open()
        yield from self.say(0, b"\x16\x03\x01" + struct.pack(">H", len(hello)) + hello)
        answer = b"\x02\0\0\x26\x03\x03" + self.rng.randbytes(32) + b"\0\x13\x01\0"
        yield from self.say(1, b"\x16\x03\x03" + struct.pack(">H", len(answer)) + answer)
        yield from self.bulk(1, self.rng.randint(2, 200) * 1400)
        yield from self.close()

    def torrent(self):
        yield from self.open()
        shake = b"\x13BitTorrent protocol" + bytes(8) + self.rng.randbytes(20) + b"-XX0001-" + self.rng.randbytes(12)
        yield from self.say(0, shake)
        yield from self.say(1, shake)
        yield from self.bulk(1, self.rng.randint(20, 300) * 1400)
        yield from self.close()

    def dns(self):
        name = b"\x04host\x07example\x03net\0" + b"\0\1\0\1"
        question = self.rng.randbytes(2) + b"\1\0\0\1\0\0\0\0\0\0" + name
        answer = question[:2] + b"\x81\x80\0\1\0\1\0\0\0\0" + name + b"\xc0\x0c\0\1\0\1\0\0\1\0\0\4" + self.rng.randbytes(4)
        for side, payload in ((0, question), (1, answer)):
            ports = self.ports if side == 0 else self.ports[::-1]
            yield self.packet(side, 17, struct.pack(">HHHH", *ports, 8 + len(payload), 0) + payload)


def generate(path, size):
    """Picks the kind that is furthest behind its share whenever a flow ends."""
    rng = random.Random(4)
    shares, bytes_of, flows, number, written, clock = dict(MIX), dict.fromkeys(dict(MIX), 0), [], 0, 24, 1_700_000_000_000_000
    with open(path, "wb", buffering=1 << 22) as out:
        out.write(struct.pack("<IHHIIII", 0xA1B2C3D4, 2, 4, 0, 0, 262_144, 1))
        while written < size:
            while len(flows) < AT_ONCE:
                total = sum(bytes_of.values()) + 1
                kind = max(shares, key=lambda each: shares[each] - bytes_of[each] / total)
                bytes_of[kind] += 1  # so that not all of them are of one kind at first
                flows.append((kind, Flow(kind, number, rng).frames))
                number += 1
            kind, frames = flows[rng.randrange(len(flows))]
            frame = next(frames, None)
            if frame is None:
                flows.remove((kind, frames))
                continue
            clock += rng.randrange(1, 60)
            bytes_of[kind] += len(frame)
            out.write(struct.pack("<IIII", clock // 1_000_000, clock % 1_000_000, len(frame), len(frame)) + frame)
            written += 16 + len(frame)
    total = sum(bytes_of.values())
    print("made", path.name + ":", ", ".join(f"{kind} {100 * count / total:.0f} %" for kind, count in bytes_of.items()))


def run(command):
    """Seconds of CPU, of the clock, and resident MB at most."""
    begin = time.monotonic()
    child = subprocess.Popen(["taskset", "-c", "0", *command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    if status != 0:
        sys.exit(f"{command[0]} failed")
    return usage.ru_utime + usage.ru_stime, time.monotonic() - begin, usage.ru_maxrss / 1024


def packets_in(path):
    """Not by mapping the file: a child's peak of memory would begin with its parent's."""
    count = 0
    with open(path, "rb", buffering=1 << 16) as file:
        file.seek(24)
        while len(header := file.read(16)) == 16:
            file.seek(struct.unpack_from("<I", header, 8)[0], 1)
            count += 1
    return count


def race(path, ours, theirs, runs):
    packets = packets_in(path)
    results = {}
    for _ in range(runs + 1):
        for name, command in (("chancery", ours), ("ndpiReader", theirs)):
            results.setdefault(name, []).append(run(command))
    for name, runs in results.items():
        cpu, wall, memory = (statistics.median(each[i] for each in runs[1:]) for i in range(3))
        results[name] = (packets / cpu, memory)
        print(f"{name:11} {packets / cpu / 1e6:6.2f} M packets/s of CPU, {packets / wall / 1e6:6.2f} M/s of the clock, "
              f"{memory:7.0f} MB resident")
    print(f"ratio {results['chancery'][0] / results['ndpiReader'][0]:.2f} x, memory "
          f"{results['chancery'][1] / results['ndpiReader'][1]:.2f} x")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--chancery", required=True)
    parser.add_argument("--folder", type=pathlib.Path, default=pathlib.Path("/tmp"))
    parser.add_argument("--megabytes", "--size", type=int, default=1000, help="of the capture")
    parser.add_argument("--runs", type=int, default=3, help="that count, of each")
    parser.add_argument("--make", action="store_true", help="only make the capture")
    parser.add_argument("--long", action="store_true")
    arguments = parser.parse_args()
    path = arguments.folder / f"sensor-{arguments.megabytes}.pcap"
    if not path.exists():
        generate(path, arguments.megabytes * 1_000_000)
    if arguments.make:
        return
    if arguments.long:
        tenth = arguments.folder / f"sensor-{arguments.megabytes // 10}.pcap"
        if not tenth.exists():
            generate(tenth, arguments.megabytes * 100_000)
        for each in (tenth, path):
            print(f"{each.name}: {run([arguments.chancery, 'detect', '-r', str(each)])[2]:.0f} MB resident")
        return
    race(path, [arguments.chancery, "detect", "-r", str(path)], ["ndpiReader", "-q", "-i", str(path)],
         arguments.runs)


if __name__ == "__main__":
    main()
