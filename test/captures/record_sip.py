"""SIP MESSAGE (RFC 3428) through kamailio."""
import re
import socket
import threading
import uuid

from clients.purple import Purple
from recording import recording

KAMAILIO = """#!KAMAILIO
debug=1
log_stderror=yes
fork=yes
children=1
tcp_children=1
auto_aliases=no
listen=udp:{address}:5060
listen=tcp:{address}:5060
{modules}
request_route {{
  if (!mf_process_maxfwd_header("10")) {{ sl_send_reply("483", "Too Many Hops"); exit; }}
  if (is_method("REGISTER")) {{ save("location"); exit; }}
  if (is_method("MESSAGE")) {{
    if (!lookup("location")) {{ sl_send_reply("404", "Not Found"); exit; }}
    t_relay();
    exit;
  }}
  sl_send_reply("405", "Method Not Allowed");
}}
"""
MODULES = ("kex", "tm", "sl", "pv", "maxfwd", "usrloc", "registrar", "textops", "siputils")


def _kamailio(lab, host):
    config = lab.folder / "kamailio.cfg"
    config.write_text(KAMAILIO.format(address=host.address, modules="".join(f'loadmodule "{name}.so"\n' for name in MODULES)))
    lab.serve(host, "kamailio", ["kamailio", "-f", config, "-DD", "-E", "-Y", lab.folder, "-m", "32"], 5060)


def _simple(lab, server):
    (lab.folder / "purple").mkdir()
    return Purple(lab.folder / "purple", "prpl-simple", f"carol@{server.address}", "unused", udp=False, dopublish=False,
                  useproxy=True, proxy=server.address)


class Phone:
    """A SIP client that registers, says and hears: over UDP or one TCP connection."""

    def __init__(self, host, server, user, transport):
        self.host, self.server, self.user, self.transport = host, server.address, user, transport
        if transport == "udp":
            self.socket = host.listen(5060, socket.SOCK_DGRAM)
            self.socket.connect((self.server, 5060))
        else:
            self.socket = host.connect(self.server, 5060)
        self.socket.settimeout(30)
        self.port = self.socket.getsockname()[1]
        self.sequence, self.heard, self.left = 0, [], b""
        self.ask("REGISTER", self.server, f"Contact: <sip:{user}@{host.address}:{self.port};transport={transport}>\r\nExpires: 600\r\n")

    def ask(self, method, target, more="", body=""):
        """Sends a request and waits for its final answer."""
        octets, self.sequence = body.encode(), self.sequence + 1
        address = target if method == "REGISTER" else f"{target}@{self.server}"
        self.send(f"{method} sip:{address} SIP/2.0\r\n"
                  f"Via: SIP/2.0/{self.transport.upper()} {self.host.address}:{self.port};branch=z9hG4bK{uuid.uuid4().hex};rport\r\n"
                  f"Max-Forwards: 70\r\nFrom: <sip:{self.user}@{self.server}>;tag={uuid.uuid4().hex[:8]}\r\n"
                  f"To: <sip:{self.user if method == 'REGISTER' else target}@{self.server}>\r\nCall-ID: {uuid.uuid4()}\r\n"
                  f"CSeq: {self.sequence} {method}\r\n{more}Content-Length: {len(octets)}\r\n\r\n".encode() + octets)
        self.until(lambda head, _: head.startswith("SIP/2.0 200") and f"CSeq: {self.sequence} {method}" in head)

    def say(self, to, text):
        self.ask("MESSAGE", to, "Content-Type: text/plain;charset=utf-8\r\n", text)

    def hear(self, text):
        if text not in self.heard:
            self.until(lambda _, body: body == text)

    def until(self, wanted):
        while True:
            head, body = self.receive()
            if head.startswith("MESSAGE "):
                self.heard.append(body)
                kept = re.findall(r"(?mi)^(?:via|from|to|call-id|cseq):.*\r$", head)
                self.send(("SIP/2.0 200 OK\r\n" + "".join(line + "\n" for line in kept) + "Content-Length: 0\r\n\r\n").encode())
            if wanted(head, body):
                return

    def receive(self):
        while True:
            head, end, rest = self.left.partition(b"\r\n\r\n")
            length = int((re.search(rb"(?mi)^(?:content-length|l)\s*:\s*(\d+)", head) or [0, 0])[1]) if end else 0
            if end and len(rest) >= length:
                self.left = rest[length:]
                return head.decode() + "\r\n", rest[:length].decode()
            self.left += self.socket.recv(65_536)

    def send(self, octets):
        self.socket.sendall(octets)


@recording
def sip_udp(lab, truth):
    """kamailio 5.6, clients of ours over UDP, libpurple's prpl-simple over TCP: each message once over its two legs"""
    server, one, two, three = (lab.host() for _ in range(4))
    _kamailio(lab, server)
    truth.application("SIP", "im")
    name = "{}@" + server.address
    with lab.capturing():
        alice, bob = Phone(one, server, "alice", "udp"), Phone(two, server, "bob", "udp")
        for speaker, listener, text in ((alice, bob, "Good morning"), (bob, alice, "Grüße zurück, schon wach?"), (alice, bob, "Good morning")):
            listener.heard.clear()
            with truth.message(name.format(speaker.user), name.format(listener.user), text):
                _both(speaker, listener, text)
        with three:
            carol = _simple(lab, server)
        carol.until("signed-on")
        with truth.message(name.format("alice"), name.format("carol"), "You too, over TCP?") as text:
            alice.say("carol", text)
            carol.until("in", text)
        carol.quit()


@recording
def sip_tcp(lab, truth):
    """kamailio 5.6 over TCP, a client of ours and libpurple's prpl-simple"""
    server, one, two = lab.host(), lab.host(), lab.host()
    _kamailio(lab, server)
    truth.application("SIP", "im")
    name = "{}@" + server.address
    with lab.capturing():
        alice = Phone(one, server, "alice", "tcp")
        with two:
            carol = _simple(lab, server)
        carol.until("signed-on")
        with truth.message(name.format("alice"), name.format("carol"), "From one TCP connection to another") as text:
            alice.say("carol", text)
            carol.until("in", text)
        with truth.message(name.format("carol"), name.format("alice"), "Heard you: 1 < 2 & so on") as text:
            carol.tell(f"say sip:alice@{server.address} {text}")
            alice.until(lambda head, _: head.startswith("MESSAGE "))
        carol.quit()


def _both(speaker, listener, text):
    """kamailio answers the speaker when the listener has answered: two threads' work."""
    hearing = threading.Thread(target=listener.hear, args=(text,))
    hearing.start()
    speaker.say(listener.user, text)
    hearing.join()
