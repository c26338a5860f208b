"""The gateway under test: configuration, keys, start, stop, and what its archive says."""
import json
import os
import pathlib
import subprocess

import yaml

from .process import BedError, Process, free_port, run, wait_until

BINARY = os.environ.get("CHANCERY", "chancery")

DELIVERY_SECONDS_MAX = 5
POLICY = pathlib.Path(__file__).with_name("policy.yaml")


class Gateway:
    """One gateway process in `folder`. Add listeners, then start."""

    def __init__(self, folder: pathlib.Path, authority, policy: pathlib.Path | None = POLICY):
        self.folder = folder
        self.archive = folder / "archive"
        self.authority = authority
        self.certificate = authority.issue("gateway")
        self.certificate[1].chmod(0o600)
        self.policy = policy
        self.listeners, self.ports = [], {}
        self.overrides = {}
        self.wrapper, self.environment = [], {}  # a program that runs the gateway (strace), and what both are told
        self.process = None
        self.signer_key = folder / "signer.key"
        self.metrics_port = free_port()

    def listen(self, name: str, protocol: str, tls: str, upstream_port: int, upstream_tls: str, network: str | None = None, **more) -> int:
        """Adds a listener; returns the port for clients."""
        port = self.ports[name] = free_port()
        route = {"address": f"127.0.0.1:{upstream_port}", "tls": upstream_tls}
        if network:
            route["network"] = network
        if upstream_tls != "none":
            route |= {"ca": str(self.authority.ca), "server_name": "im.test"}
        listener = {"name": name, "protocol": protocol, "address": f"127.0.0.1:{port}", "tls": tls, "route": route, **more}
        if tls != "none":
            listener["certificate"] = {"chain": str(self.certificate[0]), "key": str(self.certificate[1])}
        self.listeners.append(listener)
        return port

    def write_config(self) -> pathlib.Path:
        config = {"site": "test", "node": "gateway-1", "archive": str(self.archive), "signer": {"key_file": str(self.signer_key)},
                  "metrics": f"127.0.0.1:{self.metrics_port}", "listeners": self.listeners, **self.overrides}
        if self.policy:
            config["policy"] = str(self.policy)
        path = self.folder / "gateway.yaml"
        path.write_text(yaml.safe_dump(config, sort_keys=False))
        return path

    def create_keys(self):
        run([BINARY, "keys", "create", "-d", self.archive])
        self.vkey().write_text(run([BINARY, "signer", "create", "--key", self.signer_key]).stdout)

    def start(self):
        if not self.signer_key.exists():
            self.create_keys()
        self.process = Process([*self.wrapper, BINARY, "gateway", "-c", self.write_config()], self.folder, "gateway", env=self.environment)
        for port in self.ports.values():
            self.process.await_port(port)
        return self

    def stop(self) -> int:
        return self.process.stop() if self.process else 0

    def kill(self):
        self.process.kill()

    def records(self):
        """Every object of the JSONL export, in order."""
        keys = ["--keys", self.overrides["keys"]] if "keys" in self.overrides else []
        done = run([BINARY, "export", "-d", self.archive, "--format", "jsonl", *keys])
        return [json.loads(line) for line in done.stdout.splitlines()]

    def said(self, text: str, kind: str = "message"):
        """The records of `kind` whose text is `text`."""
        return [r for r in self.records() if r["kind"] == kind and r["text"] == text]

    def deliveries_of(self, record, count: int = 1):
        """The deliveries of a record; waits a little for `count` of them, since they are written in batches."""
        name = f"{record['log']}#{record['index']}"
        found = []

        def enough():
            found[:] = [r for r in self.records() if r["kind"] == "delivery" and r["ref"] == name]
            return len(found) >= count
        try:
            wait_until(enough, "deliveries", DELIVERY_SECONDS_MAX, 0.1)
        except BedError:
            pass  # the caller counts them
        return list(found)

    def search(self, *arguments):
        done = run([BINARY, "search", "-d", self.archive, "--json", *arguments])
        return json.loads(done.stdout)

    def vkey(self) -> pathlib.Path:
        """The signer's public key, as an auditor would have it from outside the archive."""
        return pathlib.Path(f"{self.signer_key}.pub")

    def verify(self, *arguments) -> subprocess.CompletedProcess:
        return subprocess.run([BINARY, "verify", str(self.archive), *map(str, arguments)], capture_output=True, text=True, timeout=300)
