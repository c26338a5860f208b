"""BitTorrent between Debian's clients, with a tracker."""
import hashlib
import json
import os
import pathlib
import time

from beds.process import wait_until
from recording import recording

SIZE = 96 * 1024  # of what is shared; capture size follows from it
PIECE = 16 * 1024


def _bencoded(value) -> bytes:
    if isinstance(value, int):
        return b"i%de" % value
    if isinstance(value, (bytes, str)):
        octets = value.encode() if isinstance(value, str) else value
        return b"%d:%s" % (len(octets), octets)
    return b"d" + b"".join(_bencoded(key) + _bencoded(value[key]) for key in sorted(value)) + b"e"


def _torrent(folder: pathlib.Path, announce: str):
    """What is shared, and the file that describes it."""
    content = b"".join(b"%07d\n" % i for i in range(SIZE // 8))  # packs well
    seed = folder / "seed"
    seed.mkdir()
    (seed / "numbers.bin").write_bytes(content)
    pieces = b"".join(hashlib.sha1(content[at:at + PIECE]).digest() for at in range(0, SIZE, PIECE))
    torrent = folder / "numbers.torrent"
    torrent.write_bytes(_bencoded({"announce": announce, "info": {"length": SIZE, "name": "numbers.bin", "piece length": PIECE,
                                                                    "pieces": pieces}}))
    return torrent, seed, content


def _transmission(lab, host, name, torrent, folder, **settings):
    home = lab.folder / f"{name}-home"
    watch = home / "watch"
    watch.mkdir(parents=True)
    (home / "settings.json").write_text(json.dumps({
        "download-dir": str(folder), "watch-dir": str(watch), "watch-dir-enabled": True, "rpc-enabled": False, "port-forwarding-enabled": False,
        "dht-enabled": False, "lpd-enabled": False, "utp-enabled": False, "encryption": 0, "peer-port": 51413,
        "incomplete-dir-enabled": False, "bind-address-ipv4": "0.0.0.0", "blocklist-enabled": False, **settings}))
    (watch / "numbers.torrent").write_bytes(torrent.read_bytes())
    return lab.start(host, name, ["transmission-daemon", "-f", "-g", home])


def _aria2(lab, host, torrent, folder, *more):
    return lab.start(host, "aria2", ["aria2c", f"--dir={folder}", "--seed-time=0", "--enable-dht=false", "--enable-dht6=false",
                                     "--bt-enable-lpd=false", "--listen-port=6881", "--no-conf", "--file-allocation=none",
                                     "--disable-ipv6=true", *more, torrent])


def _await(path, content):
    wait_until(lambda: path.exists() and path.read_bytes() == content, "the file", 40, 0.1)


def _share(lab, truth, scheme, leecher, **settings):
    tracker, one, two = lab.host(), lab.host(), lab.host()
    torrent, seed, content = _torrent(lab.folder, f"{scheme}://{tracker.address}:6969/announce")
    info = torrent.read_bytes().partition(b"4:info")[2][:-1]
    digest = hashlib.sha1(info)
    (lab.folder / "accepted").write_text(digest.hexdigest() + "\n")
    lab.serve(tracker, "opentracker", ["opentracker", "-i", tracker.address, "-p", "6969", "-P", "6969", "-d", lab.folder, "-u", "nobody",
                                       "-w", "accepted"], 6969)
    target = lab.folder / "target"
    target.mkdir()
    os.chmod(target, 0o777)
    truth.application("BitTorrent", "p2p")
    with lab.capturing():
        _transmission(lab, one, "seeder", torrent, seed, **settings)
        announced = b"announce?info_hash" if scheme == "http" else digest.digest()
        wait_until(lambda: announced in (lab.folder / "all.pcap").read_bytes(), "the seed's announcement", 30)
        time.sleep(1)  # until it is in the tracker's list
        leecher(lab, two, torrent, target)
        _await(target / "numbers.bin", content)
        for program in lab.programs[1:]:
            program.stop()


@recording
def bittorrent_http(lab, truth):
    """opentracker over HTTP, transmission 3.00 as seed, aria2 1.36 as leech, which encrypts its handshake"""
    _share(lab, truth, "http", _aria2)


@recording
def bittorrent_clear(lab, truth):
    """opentracker over HTTP, two transmission 3.00 over TCP that prefer clear handshakes"""
    _share(lab, truth, "http", lambda lab, host, torrent, target: _transmission(lab, host, "leecher", torrent, target))


@recording
def bittorrent_udp_utp(lab, truth):
    """opentracker over UDP, two transmission 3.00 with uTP, DHT, local discovery and peer exchange: clear handshakes"""
    every = {"utp-enabled": True, "dht-enabled": True, "lpd-enabled": True, "pex-enabled": True}
    _share(lab, truth, "udp", lambda lab, host, torrent, target: _transmission(lab, host, "leecher", torrent, target, **every), **every)


@recording
def bittorrent_encrypted(lab, truth):
    """opentracker over HTTP, two transmission 3.00 that require encryption (MSE/PE)"""
    _share(lab, truth, "http", lambda lab, host, torrent, target: _transmission(lab, host, "leecher", torrent, target, encryption=2), encryption=2)
