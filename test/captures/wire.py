"""Conversations whose programs cannot be had, written packet by packet as a mirror port would show them."""
import struct

from lab import keep

BEGIN_US = 1_777_629_600_000_000  # 2026-05-01T10:00:00Z
STEP_US = 900
SEGMENT = 1_448


class Wire:
    """All packets of one capture, in order of time."""

    def __init__(self):
        self.now_us, self.frames = BEGIN_US, []

    def add(self, frame: bytes) -> int:
        self.now_us += STEP_US
        self.frames.append((self.now_us, frame))
        return self.now_us

    def keep(self, name: str):
        out = struct.pack("<IHHIIII", 0xA1B2C3D4, 2, 4, 0, 0, 262_144, 1)
        for time_us, frame in self.frames:
            out += struct.pack("<IIII", time_us // 1_000_000, time_us % 1_000_000, len(frame), len(frame)) + frame
        keep(name, out)


def _checksum(octets: bytes) -> int:
    octets += b"\0" * (len(octets) % 2)
    total = sum(struct.unpack(f">{len(octets) // 2}H", octets))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def _address(text: str) -> bytes:
    return bytes(map(int, text.split(".")))


def _ip(source: str, target: str, protocol: int, segment: bytes, number: int) -> bytes:
    head = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(segment), number & 0xFFFF, 0x4000, 64, protocol, 0, _address(source), _address(target))
    head = head[:10] + struct.pack(">H", _checksum(head)) + head[12:]
    mac = b"\2\0\0\0\0"
    return mac + _address(target)[3:] + mac + _address(source)[3:] + b"\x08\0" + head + segment


class Connection:
    """One TCP connection. `client` and `server` say octets and return the packet's time."""

    def __init__(self, wire: Wire, client, server):
        self.wire, self.ends, self.next = wire, (client, server), [10_000, 800_000]
        self.number = 1
        self._send(0, 0x02, b"")
        self._send(1, 0x12, b"")
        self._send(0, 0x10, b"")

    def _send(self, side: int, flags: int, payload: bytes) -> int:
        source, target = self.ends[side], self.ends[1 - side]
        acknowledged = self.next[1 - side] if flags & 0x10 else 0
        head = struct.pack(">HHIIBBHHH", source[1], target[1], self.next[side], acknowledged, 0x50, flags, 65_000, 0, 0)
        pseudo = _address(source[0]) + _address(target[0]) + struct.pack(">BBH", 0, 6, len(head) + len(payload))
        head = head[:16] + struct.pack(">H", _checksum(pseudo + head + payload)) + head[18:]
        self.next[side] += len(payload) + (1 if flags & 0x03 else 0)
        self.number += 1
        return self.wire.add(_ip(source[0], target[0], 6, head + payload, self.number))

    def _say(self, side: int, octets: bytes) -> int:
        time = 0
        for at in range(0, len(octets), SEGMENT):
            time = self._send(side, 0x18, octets[at:at + SEGMENT])
            self._send(1 - side, 0x10, b"")
        return time

    def client(self, octets: bytes) -> int:
        return self._say(0, octets)

    def server(self, octets: bytes) -> int:
        return self._say(1, octets)

    def close(self):
        self._send(0, 0x11, b"")
        self._send(1, 0x11, b"")
        self._send(0, 0x10, b"")
