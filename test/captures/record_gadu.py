"""Gadu-Gadu: libpurple's client against a small server of ours, for there is no other."""
import struct
import threading
import time

from clients.purple import Purple
from recording import recording

ALICE, BOB = 11223344, 55667788
WELCOME, LOGIN80, LOGIN80_OK, LOGIN105, LOGIN110_OK = 0x01, 0x31, 0x35, 0x83, 0x9D
SEND80, RECV80, SEND110, RECV110, ACK, ACK110 = 0x2D, 0x2E, 0x7D, 0x7E, 0x05, 0x87
DELIVERED = 2


def _varint(number):
    out = b""
    while number >= 0x80:
        out, number = out + bytes([number & 0x7F | 0x80]), number >> 7
    return out + bytes([number])


def _fields(octets):
    """Of a protobuf message: number → value."""
    at, found = 0, {}

    def varint():
        nonlocal at
        value = shift = 0
        while True:
            octet, at = octets[at], at + 1
            value, shift = value | (octet & 0x7F) << shift, shift + 7
            if octet < 0x80:
                return value
    while at < len(octets):
        key = varint()
        if key & 7 == 0:
            found[key >> 3] = varint()
        else:
            size = varint() if key & 7 == 2 else 4 if key & 7 == 5 else 8
            found[key >> 3], at = octets[at:at + size], at + size
    return found


def _number(octets):
    return int(octets[2:].decode())  # an octet, a length, digits


class Server:
    def __init__(self, host, port=8074):
        self.socket, self.clients, self.sequence = host.listen(port), {}, 0
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            connection, _ = self.socket.accept()
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        uin = None
        self._send(connection, WELCOME, struct.pack("<I", 0x12345678))
        stream = connection.makefile("rb")
        while len(head := stream.read(8)) == 8:
            kind, size = struct.unpack("<II", head)
            body = stream.read(size)
            if kind in (LOGIN80, LOGIN105):
                uin = struct.unpack("<I", body[:4])[0] if kind == LOGIN80 else _number(_fields(body)[2])
                self.clients[uin] = (connection, kind)
                if kind == LOGIN80:
                    self._send(connection, LOGIN80_OK, struct.pack("<I", 1))
                else:
                    self._send(connection, LOGIN110_OK, b"\x08\x01\x12\x00\x18" + _varint(uin) + b"\x25" + struct.pack("<I", int(time.time())))
            elif kind == SEND80:
                to, sequence, _, plain_at, format_at = struct.unpack("<IIIII", body[:20])
                self._send(connection, ACK, struct.pack("<III", DELIVERED, to, sequence))
                self._deliver(uin, to, body[20:plain_at - 1], body[plain_at:format_at].split(b"\0")[0], body[20:])
            elif kind == SEND110:
                fields = _fields(body)
                to = _number(fields[1])
                self._send(connection, ACK110, b"\x08" + _varint(8) + b"\x10" + _varint(fields[3]) + b"\x1d"
                           + struct.pack("<IBQBQ", int(time.time()), 0x21, self.sequence + 1, 0x29, uin ^ to) + b"\x38\0")
                self._deliver(uin, to, fields.get(6, b""), fields.get(5, b""), None)

    def _deliver(self, sender, to, html, text, old):
        connection, kind = self.clients[to]
        self.sequence += 1
        if kind == LOGIN105:
            name = str(sender).encode()
            fields = b"\x0a" + _varint(len(name) + 2) + b"\0" + _varint(len(name)) + name + b"\x10\0\x18" + _varint(self.sequence) \
                + b"\x25" + struct.pack("<I", int(time.time())) + b"\x2a" + _varint(len(text)) + text
            if html:
                fields += b"\x32" + _varint(len(html)) + html
            self._send(connection, RECV110, fields)
        else:
            head = struct.pack("<IIIIII", sender, self.sequence, int(time.time()), 8, 24 + len(html) + 1, 24 + len(html) + 1 + len(text) + 1)
            self._send(connection, RECV80, head + html + b"\0" + text + b"\0")

    @staticmethod
    def _send(connection, kind, body):
        connection.sendall(struct.pack("<II", kind, len(body)) + body)


@recording
def gadu_gadu(lab, truth):
    """libpurple's prpl-gg against a small server: sign-in by a hash, messages"""
    server, one, two = lab.host(), lab.host(), lab.host()
    Server(server)
    truth.application("Gadu-Gadu", "im")
    clients = {}
    with lab.capturing():
        for host, uin in ((one, ALICE), (two, BOB)):
            folder = lab.folder / str(uin)
            folder.mkdir()
            with host:
                clients[uin] = Purple(folder, "prpl-gg", str(uin), f"secret-{uin}", gg_server=server.address, encryption="none")
            clients[uin].until("signed-on")
            truth.secrets.append(f"secret-{uin}")
        for sender, receiver, text in ((ALICE, BOB, "Cześć, jak się masz?"), (BOB, ALICE, "Dobrze & dziękuję <3"), (ALICE, BOB, "zażółć gęślą jaźń")):
            with truth.message(str(sender), str(receiver), text):
                clients[sender].tell(f"say {receiver} {text}")
                clients[receiver].until("in", text)
        for client in clients.values():
            client.quit()
