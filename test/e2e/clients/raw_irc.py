"""A bare IRC client for load: no library between the test and the octets."""
import select
import socket
import time


class RawIrc:
    def __init__(self, port: int, nick: str, welcomed: bool = True):
        """`welcomed` False: returns before the server has answered; then call await_welcome."""
        self.nick, self.buffer, self.lines = nick, b"", []
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=30)
        self.send(f"NICK {nick}", f"USER {nick} 0 * :{nick}")
        if welcomed:
            self.await_welcome()

    def await_welcome(self):
        while not any(b" 001 " in line for line in self.lines):
            if not self.receive(30):
                raise AssertionError(f"{self.nick}: no welcome: {self.lines}")

    def send(self, *lines: str):
        self.socket.sendall("".join(line + "\r\n" for line in lines).encode())

    def receive(self, seconds: float) -> bool:
        """Reads what has come within `seconds`; False when nothing did or the connection is gone."""
        if not select.select([self.socket], [], [], seconds)[0]:
            return False
        try:
            octets = self.socket.recv(1 << 16)
        except OSError:
            return False
        *whole, self.buffer = (self.buffer + octets).split(b"\r\n")
        for line in whole:
            if line.startswith(b"PING"):
                self.send("PONG" + line[4:].decode())
        self.lines += whole
        return bool(octets)

    def drain(self):
        """All that is still in the socket of a connection whose other end is dead."""
        end = time.monotonic() + 10
        while self.receive(5) and time.monotonic() < end:
            pass
        self.socket.close()

    def heard(self):
        """Texts of the PRIVMSGs that arrived whole."""
        return [line.split(b" :", 1)[1].decode() for line in self.lines if b" PRIVMSG " in line]
