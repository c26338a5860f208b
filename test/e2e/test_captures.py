"""The captures in test/captures: real programs' conversations, and what `chancery detect` must say of each."""
import json
import os
import pathlib
import subprocess
import sys

import pytest

CAPTURES = pathlib.Path(__file__).resolve().parents[1] / "captures"
sys.path.insert(0, str(CAPTURES))

from judge import faults  # noqa: E402
from truth import Truth  # noqa: E402

CHANCERY = os.environ["CHANCERY"]
FILES = sorted((CAPTURES / "data").glob("*.pcap*"))


def truth_of(path: pathlib.Path) -> Truth:
    return Truth.read(path.parent / (path.name.partition(".pcap")[0] + ".tsv"))


@pytest.mark.parametrize("path", FILES, ids=[path.name for path in FILES])
def test_what_is_said_is_what_is_there(path, tmp_path):
    report = tmp_path / "report.html"
    done = subprocess.run([CHANCERY, "detect", "-r", str(path), "--json", "--html", str(report)], capture_output=True, text=True,
                          timeout=120)
    assert done.returncode == 0, done.stderr
    found = faults(truth_of(path), json.loads(done.stdout), done.stdout + done.stderr + report.read_text(encoding="utf-8"))
    assert not found, "\n".join(found)


def test_each_capture_has_its_truth():
    stems = {path.name.partition(".pcap")[0] for path in FILES}
    assert stems and stems == {path.stem for path in (CAPTURES / "data").glob("*.tsv")}
