#!/usr/bin/python3
"""The gateway beside HAProxy, in one run, as ratios: the same sink behind both, the same TLS (1.3, AES-128-GCM, verified
both ways round, no resumption), in turn (HAProxy, gateway, HAProxy, …), medians. --quick is one round of short runs, within
two minutes. See docs/guide/performance.md."""
import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "test" / "e2e"))
from beds.ca import Authority  # noqa: E402
from beds import gateway as gateway_bed  # noqa: E402
from beds.process import Process, free_port, run  # noqa: E402

HAPROXY = """
global
  nbthread 1
  maxconn 9950
  ssl-default-bind-ciphersuites TLS_AES_128_GCM_SHA256
  ssl-default-server-ciphersuites TLS_AES_128_GCM_SHA256
  tune.ssl.cachesize 0
defaults
  mode tcp
  maxconn 9950
  timeout client 1h
  timeout server 1h
  timeout connect 5s
listen plain
  bind 127.0.0.1:{plain}
  server sink 127.0.0.1:{sink_plain}
listen tls
  bind 127.0.0.1:{tls} ssl crt {pem} ssl-min-ver TLSv1.3 no-tls-tickets
  server sink 127.0.0.1:{sink_tls} ssl verify required ca-file {ca} sni str(im.test) verifyhost im.test no-ssl-reuse ssl-min-ver TLSv1.3
"""

DRAIN_SECONDS_MAX = 300

CASES = [  # name, transport, load arguments
    ("chat-like plain", "plain", ["--pairs", "500", "--inflight", "1"]),
    ("chat-like TLS", "tls", ["--pairs", "500", "--inflight", "1"]),
    ("batched plain", "plain", ["--pairs", "50", "--inflight", "32"]),
    ("batched TLS", "tls", ["--pairs", "50", "--inflight", "32"]),
]


def cpu_seconds(pids):
    total = 0
    for pid in pids:
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        total += int(fields[11]) + int(fields[12])
    return total / os.sysconf("SC_CLK_TCK")


def resident_kib(pids):
    total = 0
    for pid in pids:
        for line in pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                total += int(line.split()[1])
    return total


def fdatasync_us(folder, times=200):
    """What the disk takes to make one small write durable: the median of some."""
    taken = []
    file = os.open(folder / "sync", os.O_CREAT | os.O_WRONLY)
    for _ in range(times):
        os.write(file, b"x" * 512)
        begin = time.perf_counter()
        os.fdatasync(file)
        taken.append((time.perf_counter() - begin) * 1e6)
    os.close(file)
    return statistics.median(taken)


def shed(folder, size_min=1 << 20):
    """Frees the disk of what earlier runs wrote, by their large files. Their thousands of tiles stay until the end: for a
    minute after many files were deleted ext4 without a journal looks for an inode much longer, at each new file."""
    for file in folder.glob("gw-*/**/*"):
        if file.is_file() and not file.is_symlink() and file.stat().st_size >= size_min:
            file.unlink()


def family(pid):
    """The process and its children: what a proxy costs, all told."""
    children = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid] + [p for child in children for p in family(int(child))]


class Race:
    def __init__(self, folder, build, options):
        self.folder, self.build, self.options = folder, build, options
        self.authority = Authority(folder)
        chain, key = self.authority.issue("proxy")
        sink_chain, sink_key = self.authority.issue("sink")
        (folder / "proxy.pem").write_bytes(chain.read_bytes() + key.read_bytes())
        self.sink_plain, self.sink_tls = free_port(), free_port()
        tools = build / "bench" / "gateway"
        self.load_tool = tools / "gateway_load"
        self.sinks = [Process([tools / "gateway_sink", self.sink_plain], folder, "sink-plain"),
                      Process([tools / "gateway_sink", self.sink_tls, sink_chain, sink_key], folder, "sink-tls")]
        self.ports = {"haproxy": {"plain": free_port(), "tls": free_port()}, "gateway": {}}
        self.runs = 0  # of the gateway
        self.lags = []  # of each gateway run: (records not yet indexed at its end, seconds until there were none)

    def start(self, name):
        """Starts one proxy afresh, so that no run inherits another's heap."""
        if name == "haproxy":
            config = self.folder / "haproxy.cfg"
            config.write_text(HAPROXY.format(sink_plain=self.sink_plain, sink_tls=self.sink_tls, pem=self.folder / "proxy.pem",
                                             ca=self.authority.ca, **self.ports["haproxy"]))
            process = Process(["haproxy", "-db", "-f", config], self.folder, "haproxy")
            process.await_port(self.ports["haproxy"]["tls"])
            return process
        shed(self.folder)
        self.runs += 1
        home = self.folder / f"gw-{self.runs}"
        home.mkdir()
        bed = gateway_bed.Gateway(home, self.authority, policy=self.folder / "policy.yaml")
        self.ports["gateway"] = {"plain": bed.listen("plain", "xmpp", "none", self.sink_plain, "none"),
                                 "tls": bed.listen("tls", "xmpp", "direct", self.sink_tls, "direct")}
        bed.overrides["limits"] = {"connections_max": 20000, "connections_per_address_max": 0, "rate_units_per_second": 0}
        bed.start()
        self.bed = bed
        return bed.process

    def load(self, proxy, transport, arguments, seconds=None):
        argv = [self.load_tool, "--port", self.ports[proxy][transport], "--seconds", seconds or self.options.seconds, *arguments]
        if transport == "tls":
            argv += ["--ca", self.authority.ca]
        return json.loads(run(argv).stdout)

    def measure(self, proxy, transport, arguments):
        process = self.start(proxy)
        pids = family(process.child.pid)
        before = cpu_seconds(pids)
        result = self.load(proxy, transport, arguments)
        if "sent" in result:
            result["cpu_us"] = (cpu_seconds(pids) - before) * 1e6 / max(1, result["sent"])
        if proxy == "gateway":
            self.lags.append(self.drain_index())
        process.stop(60)
        return result

    def index_lag(self):
        status = json.loads(run([gateway_bed.BINARY, "archive", "status", "--json", "-d", self.bed.archive]).stdout)
        return max((log["index_lag"] for log in status["logs"]), default=0)

    def drain_index(self):
        """The index may lag during a burst; the run is over when it has every record."""
        begin = time.monotonic()
        lag = left = self.index_lag()
        while left:
            if time.monotonic() - begin > DRAIN_SECONDS_MAX:
                raise SystemExit(f"the index is still {left} records behind after {DRAIN_SECONDS_MAX} s")
            time.sleep(0.2)
            left = self.index_lag()
        return lag, time.monotonic() - begin

    def lag_in_words(self):
        """Of the gateway's runs since it was asked last."""
        lags, self.lags = self.lags, []
        return f"index behind by {statistics.median(lag for lag, _ in lags):,.0f} records, drained in {statistics.median(s for _, s in lags):.1f} s"

    def in_turn(self, transport, arguments):
        """{"haproxy": [...], "gateway": [...]}: A B A B … A."""
        results = {"haproxy": [], "gateway": []}
        for _ in range(self.options.rounds):
            for proxy in ("haproxy", "gateway"):
                results[proxy].append(self.measure(proxy, transport, arguments))
        if not self.options.quick:
            results["haproxy"].append(self.measure("haproxy", transport, arguments))
        return results

    def idle_memory(self, proxy, transport, connections):
        process = self.start(proxy)
        before = resident_kib(family(process.child.pid))
        argv = [self.load_tool, "--port", self.ports[proxy][transport], "--mode", "idle", "--pairs", connections // 2]
        if transport == "tls":
            argv += ["--ca", self.authority.ca]
        held = subprocess.Popen([str(a) for a in argv], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        if held.stdout.readline().strip() != "ready":
            raise SystemExit(f"{connections} idle connections did not all sign in through {proxy}")
        after = resident_kib(family(process.child.pid))
        held.communicate("")
        process.stop(60)
        return (after - before) / connections

    def stop(self):
        for sink in self.sinks:
            sink.stop()


def median(results, key):
    return statistics.median(r[key] for r in results)


def lexicon(path, terms):
    """A policy with that many distinct terms, none of which the load says."""
    words = "\n".join(f"        - forbidden{i:05d}" for i in range(terms))
    path.write_text(f"version: 1\nlexicon:\n  rules:\n    - id: bench\n      action: flag\n      terms:\n{words}\n")


def print_rates(race, rows):
    print(f"{'case':<18}{'HAProxy msg/s':>15}{'gateway msg/s':>15}{'ratio':>8}{'HAProxy µs':>12}{'gateway µs':>12}   (CPU a message)")
    for name, transport, arguments in CASES:
        results = race.in_turn(transport, arguments)
        a, b = median(results["haproxy"], "per_second"), median(results["gateway"], "per_second")
        rows[name] = {"haproxy": a, "gateway": b, "ratio": b / a}
        lag = race.lag_in_words()
        print(f"{name:<18}{a:>15,.0f}{b:>15,.0f}{b / a:>8.2f}{median(results['haproxy'], 'cpu_us'):>12.1f}{median(results['gateway'], 'cpu_us'):>12.1f}   {lag}", flush=True)


def print_latency(race, rows):
    results = race.in_turn("tls", ["--pairs", "500", "--rate", str(race.options.rate)])
    direct = json.loads(run([race.load_tool, "--port", race.sink_tls, "--ca", race.authority.ca, "--pairs", "500", "--rate",
                             race.options.rate, "--seconds", race.options.seconds]).stdout)
    print(f"\nlatency at {race.options.rate} msg/s, TLS, µs      p50      p99")
    for name, p50, p99 in [("direct", direct["p50_us"], direct["p99_us"])] + [(n, median(results[n], "p50_us"), median(results[n], "p99_us")) for n in results]:
        print(f"  {name:<34}{p50:>8.0f}{p99:>9.0f}")
        rows[f"latency {name}"] = {"p50_us": p50, "p99_us": p99}
    sync = fdatasync_us(race.folder)
    added = {n: median(results[n], "p50_us") - direct["p50_us"] for n in results}
    ratio = added["gateway"] / max(1.0, added["haproxy"] + sync)
    rows["added p50"] = {**added, "fdatasync_us": sync, "ratio": ratio}
    print(f"  added p50: gateway {added['gateway']:.0f}, HAProxy {added['haproxy']:.0f} + one fdatasync {sync:.0f}: ratio {ratio:.2f};"
          f" {race.lag_in_words()}", flush=True)


def print_sign_ins(race, rows):
    results = race.in_turn("tls", ["--mode", "sign-in", "--pairs", "16"])
    a, b = median(results["haproxy"], "per_second"), median(results["gateway"], "per_second")
    rows["sign-ins"] = {"haproxy": a, "gateway": b, "ratio": b / a}
    print(f"\nTLS sign-ins/s     {a:>15,.0f}{b:>15,.0f}{b / a:>8.2f}   {race.lag_in_words()}", flush=True)


def print_memory(race, rows):
    for transport in ("plain", "tls"):
        a, b = (race.idle_memory(p, transport, race.options.idle) for p in ("haproxy", "gateway"))
        rows[f"memory {transport}"] = {"haproxy_kib": a, "gateway_kib": b, "ratio": b / a}
        print(f"KiB an idle connection ({race.options.idle}, {transport}) {a:>8.1f}{b:>8.1f}{b / a:>8.2f}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--rate", type=int, default=10_000)
    parser.add_argument("--idle", type=int, default=9_900)
    parser.add_argument("--only", choices=["rates", "latency", "sign-ins", "memory"])
    parser.add_argument("--quick", action="store_true", help="one round, HAProxy then gateway, of 2 s each, and 2,000 idle connections")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON at the end")
    options = parser.parse_args()
    if options.quick:
        options.rounds, options.seconds, options.idle = 1, 2, min(options.idle, 2_000)
    gateway_bed.BINARY = str((options.build / "chancery").resolve())
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        lexicon(folder / "policy.yaml", 1_000)
        race = Race(folder, options.build.resolve(), options)
        race.sinks[0].await_port(race.sink_plain)
        race.sinks[1].await_port(race.sink_tls)
        rows = {}
        print(run(["haproxy", "-v"]).stdout.splitlines()[0], "nbthread 1; gateway: 1,000 lexicon terms, durable journal, index on")
        steps = {"rates": print_rates, "latency": print_latency, "sign-ins": print_sign_ins, "memory": print_memory}
        try:
            for step in [steps[options.only]] if options.only else steps.values():
                step(race, rows)
        finally:
            race.stop()
        if options.json:
            print(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
