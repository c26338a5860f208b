#!/usr/bin/python3
"""Makes the captures in test/captures/data again: test/captures/record.py [NAME…]; without a name, lists them.

As root (network namespaces). Programs that the tests do not need otherwise: see docs/guide/sensor-classification.md.
CHANCERY_HELPERS is the folder of purple_client; build/dev/test, if it is not set.
"""
import importlib
import os
import pathlib
import sys
import tempfile
import traceback

from lab import DATA, FOLDER, Lab
from truth import Truth

OWN_NAMESPACE = "CHANCERY_RECORDING"


def recordings():
    """Name → function. What ends in `_written` needs no network: its packets are written, not captured."""
    found = {}
    for path in sorted(FOLDER.glob("record_*.py")):
        module = importlib.import_module(path.stem)
        found.update({name: function for name, function in vars(module).items()
                      if callable(function) and getattr(function, "__module__", "") == path.stem and not name.startswith("_")
                      and getattr(function, "recording", False)})
    return found


def record(name, function):
    truth = Truth()
    with tempfile.TemporaryDirectory(prefix="chancery-capture-") as folder:
        os.chmod(folder, 0o755)
        if function.written:
            function(truth)
        else:
            lab = Lab(pathlib.Path(folder))
            try:
                function(lab, truth)
                lab.keep(name)
            except BaseException:
                for log in sorted(pathlib.Path(folder).glob("*.log")):
                    print(f"--- {log.name}\n{log.read_text(errors='replace')[-3000:]}", file=sys.stderr)
                raise
            finally:
                lab.close()
    truth.made = truth.made or (function.__doc__ or "").strip().split("\n")[0]
    truth.write(DATA / f"{name}.tsv")


def main():
    os.environ.setdefault("CHANCERY_HELPERS", str(FOLDER.parents[1] / "build" / "dev" / "test"))
    known = recordings()
    names = sys.argv[1:]
    if not names or not set(names) <= set(known):
        print("\n".join(known))
        return 0 if not names else 2
    if len(names) > 1:  # each in a namespace of its own
        return max(os.spawnv(os.P_WAIT, sys.executable, [sys.executable, __file__, name]) for name in names)
    (name,) = names
    if not known[name].written and OWN_NAMESPACE not in os.environ:
        os.environ[OWN_NAMESPACE] = "1"
        os.execvp("unshare", ["unshare", "--net", sys.executable, __file__, name])
    try:
        record(name, known[name])
    except Exception:
        traceback.print_exc()
        return 1
    print(f"{name}: made")
    return 0


if __name__ == "__main__":
    sys.exit(main())
