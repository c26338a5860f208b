"""Hosts as network namespaces on one switch, and a mirror port on it. Needs root, ip and nft."""
import os
import subprocess
import sys
import time

from .process import BedError

CLIENT, SERVER, SENSOR = "10.99.0.1", "10.99.0.2", "10.99.0.3"


def ip(*words):
    subprocess.run(["ip", *words], check=True, capture_output=True)


def await_port(network, port):
    for _ in range(200):
        probe = inside(network.space("client"), sys.executable, "-c",
                       f"import socket; socket.create_connection(('{SERVER}', {port}), 1)", stderr=subprocess.DEVNULL)
        if probe.wait() == 0:
            return
        time.sleep(0.1)
    raise BedError(f"no server at port {port}")


def inside(space, *command, **options):
    return subprocess.Popen(["ip", "netns", "exec", space, *command], text=True, **options)


class Network:
    """client, server and sensor on a switch; the switch copies to the sensor's mirror port."""

    def __init__(self):
        self.tag = f"ch{os.getpid()}"
        self.spaces = []
        for name in ("switch", "client", "server", "sensor"):
            ip("netns", "add", self.space(name))
            self.spaces.append(self.space(name))
            ip("-n", self.space(name), "link", "set", "lo", "up")
        switch = self.space("switch")
        ip("-n", switch, "link", "add", "br0", "type", "bridge")
        ip("-n", switch, "link", "set", "br0", "up")
        for name, address in (("client", CLIENT), ("server", SERVER), ("sensor", SENSOR)):
            ip("-n", switch, "link", "add", name, "type", "veth", "peer", "name", "eth0", "netns", self.space(name))
            ip("-n", switch, "link", "set", name, "master", "br0", "up")
            ip("-n", self.space(name), "addr", "add", f"{address}/24", "dev", "eth0")
            ip("-n", self.space(name), "link", "set", "eth0", "up")
        ip("-n", switch, "link", "add", "mirror", "type", "veth", "peer", "name", "mirror", "netns", self.space("sensor"))
        ip("-n", switch, "link", "set", "mirror", "up")
        ip("-n", self.space("sensor"), "link", "set", "mirror", "up")
        rules = "".join(f"chain {port} {{ type filter hook ingress device \"{port}\" priority 0; dup to \"mirror\"; }}\n"
                        for port in ("client", "server"))
        subprocess.run(["ip", "netns", "exec", switch, "nft", "-f", "-"], input=f"table netdev copy {{\n{rules}}}\n",
                       text=True, check=True)

    def space(self, name):
        return f"{self.tag}-{name}"

    def close(self):
        for space in self.spaces:
            subprocess.run(["ip", "netns", "del", space], capture_output=True)
