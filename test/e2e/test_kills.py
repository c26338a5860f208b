"""kill -9 under load: nothing that reached a receiver is missing from the journal. CHANCERY_KILLS cycles (default 50; ./dev soak: 1,000)."""
import collections
import itertools
import os
import random
import threading
import time

import pytest

from beds.gateway import Gateway
from beds.inspircd import Inspircd
from clients.raw_irc import RawIrc

KILLS = int(os.environ.get("CHANCERY_KILLS", "50"))
PAIRS = 4
CHECK_EVERY = max(25, KILLS // 10)  # cycles


@pytest.fixture
def server(tmp_path, authority):
    bed = Inspircd(tmp_path, authority)
    yield bed.start()
    bed.stop()


class Talk:
    """Speakers who never stop, through a gateway that is killed in the middle."""

    def __init__(self, port: int, cycle: int):
        self.heard, self._stop = [], threading.Event()
        # All at once: InspIRCd lets people in once a second.
        self._pairs = [(RawIrc(port, f"s{cycle}x{i}", False), RawIrc(port, f"r{cycle}x{i}", False)) for i in range(PAIRS)]
        for client in itertools.chain(*self._pairs):
            client.await_welcome()
        self._threads = [threading.Thread(target=self._speak, args=(i, *pair, cycle)) for i, pair in enumerate(self._pairs)]
        for thread in self._threads:
            thread.start()

    def _speak(self, pair, speaker, receiver, cycle):
        number = 0
        try:
            while not self._stop.is_set():
                speaker.send(*(f"PRIVMSG {receiver.nick} :kill {cycle} {pair} {number + k}" for k in range(8)))
                number += 8
                receiver.receive(0.01)
        except OSError:
            pass  # the kill

    def end(self):
        self._stop.set()
        for thread in self._threads:
            thread.join()
        for speaker, receiver in self._pairs:
            receiver.drain()
            speaker.socket.close()
            self.heard += receiver.heard()
        return self.heard

    def flowing(self):
        return all(receiver.heard() for _, receiver in self._pairs)


def holes(records):
    """(log, conversation) whose sequence or (log) whose index is not contiguous."""
    sequences, indexes = collections.defaultdict(set), collections.defaultdict(set)
    for record in records:
        indexes[record["log"]].add(record["index"])
        if record.get("sequence") is not None:
            sequences[record["log"], record["conversation"]].add(record["sequence"])
    return [where for where, seen in sequences.items() if seen != set(range(len(seen)))]


def check(gateway, heard, key):
    records = gateway.records()
    recorded = collections.Counter(r["text"] for r in records if r["kind"] == "message")
    missing = [text for text in heard if text not in recorded]
    assert not missing, f"{len(missing)} messages reached a receiver and are not in the journal, e.g. {missing[:5]}"
    doubled = [text for text in heard if recorded[text] > 1]
    assert not doubled, doubled[:5]
    assert not holes(records)
    done = gateway.verify("--key", key)
    assert done.returncode == 0, done.stdout + done.stderr


def test_nothing_that_was_heard_is_missing_after_kills(server, tmp_path, authority):
    seed = random.randrange(1 << 30)
    print("seed", seed)
    chance = random.Random(seed)
    folder = tmp_path / "gateway"
    folder.mkdir()
    gateway = Gateway(folder, authority)
    gateway.listen("irc", "irc", "none", server.plain_port, "none")
    gateway.overrides["limits"] = {"rate_units_per_second": 0, "connections_per_address_max": 0}
    heard = []
    for cycle in range(KILLS):
        gateway.start()
        talk = Talk(gateway.ports["irc"], cycle)
        end = time.monotonic() + 20
        while not talk.flowing() and time.monotonic() < end:
            time.sleep(0.005)
        time.sleep(chance.uniform(0, 0.3))  # the moment of death is the point of the test
        gateway.kill()
        heard += talk.end()
        if cycle % CHECK_EVERY == CHECK_EVERY - 1 or cycle == KILLS - 1:
            gateway.start()
            assert gateway.stop() == 0, gateway.process.tail()
            check(gateway, heard, gateway.vkey())
    assert heard, "nothing was ever heard: the test proved nothing"
