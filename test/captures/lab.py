"""A small network of its own for a recording: hosts on one Ethernet segment, and a capture of all that crosses it.

Each host is a network namespace behind a bridge that nothing else is connected to, so the capture holds the recorded
programs' traffic and nothing more, with an address for each host and frames of 1,514 octets at most, as a mirror port
shows them. Needs root; `record.py` enters a namespace of its own first, so that the bridge is in nobody's way.
"""
import contextlib
import ctypes
import gzip
import pathlib
import signal
import socket
import subprocess
import sys
import time

E2E = pathlib.Path(__file__).resolve().parents[1] / "e2e"
if str(E2E) not in sys.path:
    sys.path.insert(0, str(E2E))

from beds.process import Process, wait_until  # noqa: E402 (the programs' beds are those of the end-to-end tests)

FOLDER = pathlib.Path(__file__).resolve().parent
DATA = FOLDER / "data"
PACKED_FROM = 50 * 1024  # octets; a larger capture is kept gzipped
NETWORK = "10.7.0"
CLONE_NEWNET = 0x40000000
libc = ctypes.CDLL(None, use_errno=True)


def run(*argv):
    subprocess.run(argv, check=True, stdout=subprocess.DEVNULL)


def enter(namespace):
    if libc.setns(namespace.fileno(), CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "setns")


class Host:
    """`with host:` — sockets and processes that are made inside are this host's. For the thread that enters."""

    def __init__(self, number: int, bridge: str):
        self.address = f"{NETWORK}.{number}"
        self.mac = f"02:00:00:00:00:{number:02x}"
        self.holder = subprocess.Popen(["unshare", "--net", "sleep", "infinity"])
        own = pathlib.Path("/proc/self/ns/net").readlink()
        wait_until(lambda: pathlib.Path(f"/proc/{self.holder.pid}/ns/net").readlink() != own, "a namespace")
        self.home = open("/proc/self/ns/net", "rb")
        self.namespace = open(f"/proc/{self.holder.pid}/ns/net", "rb")
        outside = f"h{number}"
        run("ip", "link", "add", outside, "type", "veth", "peer", "name", "eth0", "netns", str(self.holder.pid))
        run("ip", "link", "set", outside, "master", bridge, "up")
        with self:
            run("ip", "link", "set", "lo", "up")
            run("ip", "link", "set", "eth0", "address", self.mac, "up")
            run("ip", "address", "add", f"{self.address}/24", "dev", "eth0")
            for feature in ("tso", "gso", "gro", "tx"):
                run("ethtool", "-K", "eth0", feature, "off")

    def __enter__(self):
        enter(self.namespace)
        return self

    def __exit__(self, *_):
        enter(self.home)

    def connect(self, address: str, port: int) -> socket.socket:
        with self:
            sock = socket.create_connection((address, port), timeout=30)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return sock

    def can_connect(self, address: str, port: int) -> bool:
        try:
            self.connect(address, port).close()
            return True
        except OSError:
            return False

    def listen(self, port: int, kind=socket.SOCK_STREAM) -> socket.socket:
        with self:
            sock = socket.socket(socket.AF_INET, kind)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.bind((self.address, port))
        if kind == socket.SOCK_STREAM:
            sock.listen()
        return sock


class Lab:
    def __init__(self, folder: pathlib.Path):
        self.folder, self.bridge, self.hosts, self.programs = folder, "br0", [], []
        run("ip", "link", "set", "lo", "up")
        run("ip", "link", "add", self.bridge, "type", "bridge", "mcast_snooping", "0")
        run("ip", "link", "set", self.bridge, "up", "promisc", "on")
        self._capture = None

    def host(self) -> Host:
        self.hosts.append(Host(len(self.hosts) + 1, self.bridge))
        return self.hosts[-1]

    def start(self, host: Host, name: str, argv, **options) -> Process:
        with host:
            self.programs.append(Process(argv, self.folder, name, **options))
        return self.programs[-1]

    def serve(self, host: Host, name: str, argv, port: int, **options) -> Process:
        """…, and waits until it answers. Not while capturing: the question would be in the capture."""
        program = self.start(host, name, argv, **options)
        program.await_that(lambda: host.can_connect(host.address, port), f"port {port}")
        return program

    @contextlib.contextmanager
    def capturing(self, expression: str = "ip"):
        path = self.folder / "all.pcap"
        tcpdump = subprocess.Popen(["tcpdump", "-Z", "root", "-i", self.bridge, "-s", "0", "-U", "--immediate-mode",
                                    "-w", str(path), expression], stderr=subprocess.PIPE, text=True)
        for line in tcpdump.stderr:
            if "listening on" in line:
                break
        try:
            yield
            time.sleep(0.5)  # what was sent last comes last
        finally:
            tcpdump.send_signal(signal.SIGINT)
            tcpdump.wait()

    def keep(self, name: str):
        keep(name, (self.folder / "all.pcap").read_bytes())

    def close(self):
        for program in reversed(self.programs):
            program.stop()
        for host in self.hosts:
            host.holder.kill()
            host.holder.wait()


def keep(name: str, octets: bytes):
    """The capture of that name, among the committed ones."""
    for old in DATA.glob(f"{name}.pcap*"):
        old.unlink()
    if len(octets) > PACKED_FROM:
        (DATA / f"{name}.pcap.gz").write_bytes(gzip.compress(octets, 9, mtime=0))
    else:
        (DATA / f"{name}.pcap").write_bytes(octets)
