"""What an administrator does to a gateway and its evidence: start, reload, damage, rotate, witness. No server is needed: a
client whose upstream is down is on the record too."""
import json
import pathlib
import shutil
import socket
import subprocess
import urllib.request

import pytest

from beds.gateway import BINARY, Gateway
from beds.process import Process, free_port, run, wait_until


@pytest.fixture
def gateway(tmp_path, authority):
    gateway = Gateway(tmp_path, authority, policy=None)
    gateway.listen("irc", "irc", "none", free_port(), "none", network="irc")
    yield gateway
    if gateway.process:
        gateway.stop()


def cause_records(gateway):
    with socket.create_connection(("127.0.0.1", gateway.ports["irc"]), timeout=10) as client:
        client.settimeout(10)
        while client.recv(4096):
            pass


def metric(gateway, name):
    with urllib.request.urlopen(f"http://127.0.0.1:{gateway.metrics_port}/metrics", timeout=10) as answer:
        for line in answer.read().decode().splitlines():
            if line.startswith(name + " "):
                return float(line.split()[-1])
    return None


def log_folder(gateway) -> pathlib.Path:
    return sorted(gateway.archive.glob("logs/*/*/*"))[-1]




def test_a_first_start_is_not_called_unclean(gateway):
    gateway.start()
    gateway.stop()
    text = gateway.process.tail()
    assert "the first log of this node" in text
    assert "clean_start" not in text
    gateway.start()
    gateway.stop()
    assert '"clean_start":"yes"' in gateway.process.tail()


def test_a_reload_of_a_file_that_does_not_load_is_counted(gateway):
    gateway.start()
    config = gateway.folder / "gateway.yaml"
    good = config.read_text()
    config.write_text("nonsense: true\n")
    gateway.process.reload()
    wait_until(lambda: metric(gateway, 'chancery_reloads_total{result="refused"}') == 1, "the refused reload is counted", 10, 0.05)
    config.write_text(good)
    gateway.process.reload()
    wait_until(lambda: metric(gateway, 'chancery_reloads_total{result="applied"}') == 1, "the reload is counted", 10, 0.05)


def test_a_damaged_archive_is_refused_once_with_advice(gateway):
    gateway.start()
    cause_records(gateway)
    gateway.stop()
    segment = log_folder(gateway) / "segments/00000000.seg"
    octets = bytearray(segment.read_bytes())
    octets[600] ^= 1
    segment.write_bytes(octets)
    done = subprocess.run([BINARY, "gateway", "-c", gateway.write_config()], capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert done.stderr.count("damaged below what was durable") == 1
    for advice in ("Nothing was changed", "chancery verify", "docs/guide/backup.md"):
        assert advice in done.stderr, done.stderr
    status = subprocess.run([BINARY, "archive", "status", "-d", gateway.archive], capture_output=True, text=True, timeout=60)
    assert status.returncode == 1, status.stdout


def test_a_checkpoint_key_is_rotated_and_the_old_anchor_still_holds(gateway):
    gateway.start()
    cause_records(gateway)
    gateway.stop()
    old = gateway.vkey()
    premature = subprocess.run([BINARY, "keys", "retire", "--signer-key", gateway.signer_key, "-d", gateway.archive], capture_output=True, text=True)
    assert premature.returncode == 2 and "only key" in premature.stderr
    new = json.loads(run([BINARY, "keys", "rotate", "--signer-key", gateway.signer_key, "--json"]).stdout)["next"]
    too_soon = subprocess.run([BINARY, "keys", "retire", "--signer-key", gateway.signer_key, "-d", gateway.archive], capture_output=True, text=True)
    assert too_soon.returncode == 2 and "not on its record yet" in too_soon.stderr
    gateway.start()
    cause_records(gateway)
    durable = metric(gateway, "chancery_journal_durable_size")
    wait_until(lambda: metric(gateway, "chancery_published_size") >= durable, "published under the old key", 20, 0.1)
    cause_records(gateway)
    gateway.stop()
    assert gateway.verify("--key", old).returncode == 0, gateway.verify("--key", old).stdout
    run([BINARY, "keys", "retire", "--signer-key", gateway.signer_key, "-d", gateway.archive])
    shown = json.loads(run([BINARY, "keys", "show", "--signer-key", gateway.signer_key, "--json"]).stdout)
    assert shown == {"current": new, "next": None}
    gateway.start()
    cause_records(gateway)
    gateway.stop()
    followed = gateway.verify("--key", old)
    assert followed.returncode == 0, followed.stdout
    assert "names the signing key" in followed.stdout
    said = [r["detail"] for r in gateway.records() if r["kind"] == "key_change"]
    assert len(said) == 2 and "follows" in said[0] and "is retired" in said[1], said


def test_a_history_signed_again_with_a_key_that_was_never_announced_is_found(gateway):
    gateway.start()
    cause_records(gateway)
    gateway.stop()
    old = gateway.vkey().read_text()
    folder = log_folder(gateway)
    for name in ("log.vkey", "checkpoint", "checkpoints"):
        (folder / name).unlink()
    shutil.rmtree(folder / "tile")
    (gateway.folder / "archive.state" / "signer.state").unlink()
    gateway.signer_key.unlink()
    gateway.vkey().write_text(run([BINARY, "signer", "create", "--key", gateway.signer_key]).stdout)
    gateway.start()
    gateway.stop()
    assert gateway.verify("--key", gateway.vkey()).returncode == 0
    assert gateway.verify("--key", old.strip()).returncode == 1


def test_another_key_in_the_signers_place_is_refused(gateway):
    gateway.start()
    gateway.stop()
    gateway.signer_key.unlink()
    run([BINARY, "signer", "create", "--key", gateway.signer_key])
    done = subprocess.run([BINARY, "gateway", "-c", gateway.write_config()], capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert "keys rotate" in done.stderr


def test_a_running_witness_takes_up_a_log_that_is_added(gateway, tmp_path):
    folder = tmp_path / "witness"
    vkey = run([BINARY, "witness", "create", "--dir", folder, "--name", "w.test/1"]).stdout.strip()
    port, metrics = free_port(), free_port()
    witness = Process([BINARY, "witness", "run", "--dir", folder, "--listen", f"127.0.0.1:{port}", "--metrics", f"127.0.0.1:{metrics}"], tmp_path, "witness")
    try:
        witness.await_port(port)
        gateway.overrides["witnesses"] = [{"name": "w", "url": f"http://127.0.0.1:{port}", "vkey": vkey}]
        gateway.start()
        cause_records(gateway)
        durable = metric(gateway, "chancery_journal_durable_size")
        wait_until(lambda: metric(gateway, "chancery_published_size") >= durable, "published", 20, 0.1)
        assert metric(gateway, "chancery_witnessed_size") == 0
        added = subprocess.run([BINARY, "witness", "add-log", "--dir", folder, log_folder(gateway) / "log.vkey"], capture_output=True, text=True)
        assert added.returncode == 0 and "running witness" in added.stderr, added.stderr
        gateway.stop()
        gateway.start()  # asks the witness at once, and not only when its patience with it is over
        cause_records(gateway)
        durable = metric(gateway, "chancery_journal_durable_size")
        wait_until(lambda: metric(gateway, "chancery_witnessed_size") >= durable, "cosigned", 20, 0.1)
        assert metric(gateway, 'chancery_witness_cosigned_total{witness="w.test/1"}') >= 1
        with urllib.request.urlopen(f"http://127.0.0.1:{metrics}/metrics", timeout=10) as answer:
            assert "chancery_witness_logs 1" in answer.read().decode()
        gateway.stop()
        verified = gateway.verify("--witness", vkey)
        assert verified.returncode == 0, verified.stdout
        second = subprocess.run([BINARY, "witness", "run", "--dir", folder], capture_output=True, text=True, timeout=30)
        assert second.returncode == 2 and "already" in second.stderr
    finally:
        witness.stop()


def test_config_check_names_missing_keys_and_the_commands_that_make_them(gateway):
    config = gateway.write_config()
    done = subprocess.run([BINARY, "config", "check", config, "--offline"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert f"chancery keys create -d {gateway.archive}" in done.stdout
    assert f"chancery signer create --key {gateway.signer_key}" in done.stdout
    gateway.create_keys()
    done = subprocess.run([BINARY, "config", "check", config, "--offline"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout
