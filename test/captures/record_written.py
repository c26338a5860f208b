"""Conversations of programs that Debian has not, from the notes in docs/protocols: no program's word, only ours."""
import struct

from recording import written
from truth import Message
from wire import Connection, Wire

ANNA, BJORN, CAROL = "192.0.2.11", "192.0.2.12", "192.0.2.13"


def _said(truth, time_us, sender, receiver, text, legs=2):
    truth.messages.append(Message(time_us, time_us, legs, sender, receiver, text))


# --- OSCAR (AIM, ICQ) --------------------------------------------------------------------------------------------------


def _counted(text):
    return struct.pack(">B", len(text)) + text.encode()


def _tlv(kind, value=b""):
    return struct.pack(">HH", kind, len(value)) + value


class _Flap:
    """One end's frames, numbered."""

    def __init__(self, say):
        self.say, self.sequence = say, 0

    def frame(self, channel, data):
        self.sequence += 1
        return self.say(b"*" + struct.pack(">BHH", channel, self.sequence, len(data)) + data)

    def snac(self, family, kind, data, request=0):
        return self.frame(2, struct.pack(">HHHI", family, kind, 0, request) + data)


class _Aim:
    """A client's connection to a server, opened with a cookie."""

    def __init__(self, wire, end, server, name, cookie):
        self.connection = Connection(wire, end, server)
        self.client, self.server = _Flap(self.connection.client), _Flap(self.connection.server)
        self.server.frame(1, b"\0\0\0\1")
        self.client.frame(1, b"\0\0\0\1" + _tlv(6, cookie.encode()))
        self.server.snac(1, 3, b"\0\1\0\2\0\3\0\4\0\x0e")
        self.server.snac(1, 0x0F, _counted(name) + b"\0\0\0\1" + _tlv(1, b"\0\x11"))


def _text(text):
    plain = text.isascii()
    return _tlv(2, _tlv(0x0501, b"\1") + _tlv(0x0101, (b"\0\0\0\0" if plain else b"\0\2\0\0") + text.encode("ascii" if plain else "utf-16-be")))


def _aim_message(truth, speaker, listener, sender, receiver, text, number):
    cookie = struct.pack(">Q", number)
    time = speaker.client.snac(4, 6, cookie + b"\0\1" + _counted(receiver) + _text(text) + _tlv(3), number)
    listener.server.snac(4, 7, cookie + b"\0\1" + _counted(sender) + b"\0\0\0\0" + _text(text))
    _said(truth, time, sender, receiver, text)


@written
def oscar_written(truth):
    """Written: AIM log-in by MD5, messages both ways (ASCII, UTF-16), a room, a file offer"""
    wire = Wire()
    truth.application("OSCAR", "im")
    login = Connection(wire, (ANNA, 40_001), ("198.51.100.1", 5190))
    client, server = _Flap(login.client), _Flap(login.server)
    client.frame(1, b"\0\0\0\1")
    server.frame(1, b"\0\0\0\1")
    client.snac(0x17, 6, _tlv(1, b"annaim") + _tlv(0x4B) + _tlv(0x5A))
    server.snac(0x17, 7, struct.pack(">H", 10) + b"7293d724-c")
    client.snac(0x17, 2, _tlv(1, b"annaim") + _tlv(0x25, bytes(range(0x80, 0x90))) + _tlv(3, b"AIM 5.9"))
    server.snac(0x17, 3, _tlv(1, b"annaim") + _tlv(5, b"198.51.100.2:5190") + _tlv(6, b"cookie-of-anna-61"))
    truth.secrets.append("cookie-of-anna-61")
    login.close()
    anna = _Aim(wire, (ANNA, 40_002), ("198.51.100.2", 5190), "annaim", "cookie-of-anna-61")
    bjorn = _Aim(wire, (BJORN, 40_003), ("198.51.100.2", 5190), "bjornim", "cookie-of-bjorn-62")
    _aim_message(truth, anna, bjorn, "annaim", "bjornim", "hello, are you in?", 101)
    _aim_message(truth, bjorn, anna, "bjornim", "annaim", "just now, grüße 😀", 102)
    _aim_message(truth, anna, bjorn, "annaim", "bjornim", "hello, are you in?", 103)
    offer = b"\0\0" + struct.pack(">Q", 104) + bytes.fromhex("094613434c7f11d18222444553540000") + _tlv(0x0A, b"\0\1") + _tlv(0x0F) \
        + _tlv(0x03, bytes([192, 0, 2, 11])) + _tlv(0x05, b"\x14\x46") + _tlv(0x2711, b"\0\1\0\1\0\0\x30\x39plans.pdf\0")
    anna.client.snac(4, 6, struct.pack(">Q", 104) + b"\0\2" + _counted("bjornim") + _tlv(5, offer), 104)
    rooms = [_Aim(wire, (end, port), ("198.51.100.3", 5190), name, f"cookie-of-room-{name}")
             for end, port, name in ((ANNA, 40_004, "annaim"), (BJORN, 40_005, "bjornim"))]
    people = b"".join(_counted(name) + b"\0\0\0\0" for name in ("annaim", "bjornim"))
    for room in rooms:
        room.server.snac(0x0E, 2, b"\0\4" + _counted("!aol://2719:10-4-plans") + b"\0\0\2\0\2" + _tlv(0xD3, b"plans") + _tlv(0x6A, b"plans"))
        room.server.snac(0x0E, 3, people)
    words = _tlv(5, _tlv(1, b"shall we begin?") + _tlv(2, b"us-ascii"))
    time = rooms[0].client.snac(0x0E, 5, struct.pack(">QH", 105, 3) + _tlv(1) + _tlv(6) + words)
    for room in (rooms[1], rooms[0]):
        room.server.snac(0x0E, 6, struct.pack(">QH", 105, 3) + _tlv(3, _counted("annaim") + b"\0\0\0\0") + _tlv(1) + words)
    _said(truth, time, "annaim", "plans", "shall we begin?", 3)
    for each in (anna, bjorn, *rooms):
        each.connection.close()
    wire.keep("oscar_written")


# --- MSNP ----------------------------------------------------------------------------------------------------------------


def _plain(text):
    return b"MIME-Version: 1.0\r\nContent-Type: text/plain; charset=UTF-8\r\nX-MMS-IM-Format: FN=Segoe%20UI; EF=; CO=0\r\n\r\n" \
        + text.replace("\n", "\r\n").encode()


@written
def msnp_written(truth):
    """Written: MSNP9 sign-in with a ticket, a switchboard with two, typing, messages of one and two lines"""
    wire = Wire()
    truth.application("MSN", "im")
    truth.secrets += ["t=ticket-of-anna-71", "1726.switchboard-72", "8849.switchboard-73"]
    anna, bjorn = "anna@example.org", "bjorn@example.org"
    main = Connection(wire, (ANNA, 41_001), ("198.51.100.11", 1863))
    for client, server in ((b"VER 1 MSNP9 MSNP8 CVR0\r\n", b"VER 1 MSNP9 MSNP8 CVR0\r\n"),
                           (b"CVR 2 0x0409 winnt 5.1 i386 MSNMSGR 6.2.0137 MSMSGS anna@example.org\r\n", b"CVR 2 6.2.0137 6.2.0137 6.2.0137 http://x http://y\r\n"),
                           (b"USR 3 TWN I anna@example.org\r\n", b"USR 3 TWN S lc=1033,id=507,tw=40\r\n"),
                           (b"USR 4 TWN S t=ticket-of-anna-71&p=\r\n", b"USR 4 OK anna@example.org Anna 1 0\r\n"),
                           (b"CHG 5 NLN 0\r\n", b"CHG 5 NLN 0\r\n"),
                           (b"XFR 6 SB\r\n", b"XFR 6 SB 198.51.100.12:1863 CKI 1726.switchboard-72\r\n")):
        main.client(client)
        main.server(server)
    one = Connection(wire, (ANNA, 41_002), ("198.51.100.12", 1863))
    one.client(b"USR 1 anna@example.org 1726.switchboard-72\r\n")
    one.server(b"USR 1 OK anna@example.org Anna\r\n")
    one.client(b"CAL 2 bjorn@example.org\r\n")
    one.server(b"CAL 2 RINGING 11752013\r\n")
    two = Connection(wire, (BJORN, 41_003), ("198.51.100.12", 1863))
    two.client(b"ANS 1 bjorn@example.org 8849.switchboard-73 11752013\r\n")
    two.server(b"IRO 1 1 1 anna@example.org Anna\r\nANS 1 OK\r\n")
    one.server(b"JOI bjorn@example.org Bj%C3%B6rn\r\n")
    typing = b"MIME-Version: 1.0\r\nContent-Type: text/x-msmsgscontrol\r\nTypingUser: anna@example.org\r\n\r\n\r\n"
    one.client(b"MSG 3 U %d\r\n%s" % (len(typing), typing))
    two.server(b"MSG anna@example.org Anna %d\r\n%s" % (len(typing), typing))
    for number, (speaker, listener, sender, name, receiver, text) in enumerate((
            (one, two, anna, b"Anna", bjorn, "Hello Björn, two plus two is 4 & <more>"), (two, one, bjorn, b"Bj%C3%B6rn", anna, "first line\nsecond line"),
            (one, two, anna, b"Anna", bjorn, "ok"), (one, two, anna, b"Anna", bjorn, "ok"))):
        body = _plain(text)
        time = speaker.client(b"MSG %d A %d\r\n%s" % (4 + number, len(body), body))
        speaker.server(b"ACK %d\r\n" % (4 + number))
        listener.server(b"MSG %s %s %d\r\n%s" % (sender.encode(), name, len(body), body))
        _said(truth, time, sender, receiver, text)
    one.client(b"OUT\r\n")
    two.server(b"BYE anna@example.org\r\n")
    for each in (main, one, two):
        each.close()
    wire.keep("msnp_written")


# --- YMSG ----------------------------------------------------------------------------------------------------------------


def _ymsg(service, *pairs, status=0, session=0x1234ABCD, version=0x10):
    data = b"".join(str(key).encode() + b"\xc0\x80" + value.encode() + b"\xc0\x80" for key, value in pairs)
    return b"YMSG" + struct.pack(">HHHHII", version, 0, len(data), service, status, session) + data


@written
def ymsg_written(truth):
    """Written: YMSG 16 sign-in by challenge, messages both ways, a conference"""
    wire = Wire()
    truth.application("Yahoo Messenger", "im")
    truth.secrets += ["v=1&n=cookie-81", "z=cookie-82"]
    people = {}
    for name, end, port in (("anna", ANNA, 42_001), ("bjorn", BJORN, 42_002)):
        people[name] = connection = Connection(wire, (end, port), ("198.51.100.21", 5050))
        connection.client(_ymsg(0x57, (1, name), session=0))
        connection.server(_ymsg(0x57, (1, name), (94, "CcXya40UTw2hQ2Fo.WkUZA--"), (13, "2"), status=1))
        connection.client(_ymsg(0x54, (1, name), (0, name), (277, "v=1&n=cookie-81"), (278, "z=cookie-82"), (307, "cWNZYwHaIMgtvjiflfhldQ--"), (135, "9.0.0.2162"), status=0x5A55AA55))
        connection.server(_ymsg(0x55, (87, "Friends:anna,bjorn\n"), (88, ""), (89, name), (3, name)))
    for sender, receiver, text in (("anna", "bjorn", "Hello Björn, here is anna"), ("bjorn", "anna", "smörgåsbord 🍞?"), ("anna", "bjorn", "Hello Björn, here is anna")):
        time = people[sender].client(_ymsg(0x06, (1, sender), (5, receiver), (97, "1"), (14, text), (63, ";0"), (64, "0"), status=0x5A55AA56))
        people[receiver].server(_ymsg(0x06, (4, sender), (5, receiver), (14, text), (97, "1"), (63, ";0"), (64, "0"), status=1))
        _said(truth, time, sender, receiver, text)
    for connection in people.values():
        connection.close()
    wire.keep("ymsg_written")


# --- peer to peer --------------------------------------------------------------------------------------------------------


@written
def fasttrack_written(truth):
    """Written: a Kazaa transfer by hash, and one that was pushed"""
    wire = Wire()
    truth.application("FastTrack", "p2p")
    answer = b"HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 0-4095/4096\r\nContent-Length: 4096\r\nServer: KazaaClient Nov 3 2002 20:29:03\r\n" \
        b"X-Kazaa-Username: bjorn\r\nX-Kazaa-Network: KaZaA\r\nX-Kazaa-IP: 192.0.2.12:1214\r\nContent-Type: audio/mpeg\r\n\r\n" + bytes(range(256)) * 16
    transfer = Connection(wire, (ANNA, 43_001), (BJORN, 1214))
    transfer.client(b"GET /.hash=5dcb5d2d3b6f3d5a4a2dd9cbb45d2eb8ccbf51f7 HTTP/1.1\r\nHost: 192.0.2.12:1214\r\nUserAgent: KazaaClient Nov 3 2002 20:29:03\r\n"
                    b"X-Kazaa-Username: anna\r\nX-Kazaa-Network: KaZaA\r\nRange: bytes=0-4095\r\nConnection: close\r\n\r\n")
    transfer.server(answer)
    transfer.close()
    pushed = Connection(wire, (CAROL, 43_002), (ANNA, 2_000))
    pushed.client(b"GIVE 1234567\r\n\r\n")
    pushed.server(b"GET /.hash=00aa5d2d3b6f3d5a4a2dd9cbb45d2eb8ccbf51f7 HTTP/1.1\r\nX-Kazaa-Username: anna\r\nX-Kazaa-Network: KaZaA\r\n\r\n")
    pushed.client(answer)
    pushed.close()
    wire.keep("fasttrack_written")


@written
def directconnect_written(truth):
    """Written: an NMDC hub (lock, key, sign-in with a password, search) and a transfer between two clients"""
    wire = Wire()
    truth.application("DirectConnect", "p2p")
    hub = Connection(wire, (ANNA, 44_001), ("198.51.100.31", 411))
    hub.server(b"$Lock EXTENDEDPROTOCOLABCABCABCABC Pk=hub0.1|<Hub> This hub is a test|")
    hub.client(b"$Supports NoGetINFO UserIP2|$Key \x14\xd1\xc0\x11\xb0\xa0\x10\x10|$ValidateNick anna|")
    hub.server(b"$Hello anna|$HubName Test|")
    hub.client(b"$Version 1,0091|$GetNickList|$MyINFO $ALL anna <++ V:0.868,M:A,H:1/0/0,S:3>$ $LAN(T1)\x01$$1234567$|")
    hub.server(b"$NickList anna$$bjorn$$|$OpList bjorn$$|")
    hub.client(b"$Search 192.0.2.11:4112 F?T?0?1?numbers|")
    hub.client(b"$ConnectToMe bjorn 192.0.2.11:4111|")
    transfer = Connection(wire, (BJORN, 44_002), (ANNA, 4_111))
    transfer.client(b"$MyNick bjorn|$Lock EXTENDEDPROTOCOLABCABCABCABCABCABC Pk=DCPLUSPLUS0.868|")
    transfer.server(b"$MyNick anna|$Lock EXTENDEDPROTOCOLABCABCABCABCABCABC Pk=DCPLUSPLUS0.868|$Supports MiniSlots ADCGet TTHF|$Direction Download 12345|$Key abc|")
    transfer.client(b"$Supports MiniSlots ADCGet TTHF|$Direction Upload 23456|$Key abc|")
    transfer.server(b"$ADCGET file TTH/LWPNACQDBZRYXW3VHJVCJ64QBZNGHOHHHZWCLNQ 0 4096|")
    transfer.client(b"$ADCSND file TTH/LWPNACQDBZRYXW3VHJVCJ64QBZNGHOHHHZWCLNQ 0 4096|" + bytes(range(256)) * 16)
    transfer.close()
    hub.close()
    wire.keep("directconnect_written")
