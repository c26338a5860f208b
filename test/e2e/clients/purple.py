"""The libpurple client of test/purple, driven by lines."""
import os
import pathlib
import subprocess
import threading

from beds.process import wait_until

HELPER = pathlib.Path(os.environ.get("CHANCERY_HELPERS", ".")) / "purple_client"


class LineDriven:
    """A program that is told what to do by lines; `lines` holds what it reported."""

    def __init__(self, argv, folder: pathlib.Path):
        self.lines = []
        self.child = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                                      cwd=folder)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        for line in self.child.stdout:
            self.lines.append(line.rstrip("\n"))

    def tell(self, line: str):
        self.child.stdin.write(line + "\n")
        self.child.stdin.flush()

    def until(self, start: str, containing: str = ""):
        try:
            return wait_until(lambda: next((l for l in self.lines if l.startswith(start) and containing in l), None), f"{start} … {containing}", 30)
        except RuntimeError as error:
            raise AssertionError(f"{error}; it said {self.lines}") from None

    def quit(self):
        try:
            self.tell("quit")
        except OSError:
            pass
        try:
            self.child.wait(10)
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.wait()


class Purple(LineDriven):
    """Trusts `certificate` for the host "localhost"."""

    def __init__(self, folder: pathlib.Path, protocol: str, user: str, password: str, certificate=None, **settings):
        peers = folder / "certificates" / "x509" / "tls_peers"
        peers.mkdir(parents=True)
        if certificate:
            for host in ("localhost", "im.test"):
                (peers / host).write_bytes(pathlib.Path(certificate).read_bytes())
        told = [f"{key}={':' + str(value) if isinstance(value, int) and not isinstance(value, bool) else str(value).lower() if isinstance(value, bool) else value}"
                for key, value in settings.items()]
        super().__init__([HELPER, folder, protocol, user, password, *told], folder)
