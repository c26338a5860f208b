"""ngircd 26 on loopback: TLS, no SASL."""
import pathlib

from .process import Process, free_port

CONFIG = """
[Global]
Name = irc.im.test
Info = Test bed
Listen = 127.0.0.1
Ports = {plain}
MotdPhrase = Test bed
[Limits]
MaxConnections = 0
MaxConnectionsIP = 0
MaxNickLength = 30
PingTimeout = 3600
[Options]
DNS = no
Ident = no
PAM = no
[SSL]
CertFile = {chain}
KeyFile = {key}
Ports = {direct}
"""


class Ngircd:
    name = "ngircd"

    def __init__(self, folder: pathlib.Path, authority):
        self.folder = folder
        self.plain_port, self.direct_port = free_port(), free_port()
        chain, key = authority.issue("ngircd")
        self.config = folder / "ngircd.conf"
        self.config.write_text(CONFIG.format(plain=self.plain_port, direct=self.direct_port, chain=chain, key=key))
        self.process = None

    def start(self, users=None):
        self.process = Process(["ngircd", "-n", "-f", self.config], self.folder, "ngircd")
        self.process.await_port(self.plain_port)
        self.process.await_port(self.direct_port)
        return self

    def stop(self):
        if self.process:
            self.process.stop()
