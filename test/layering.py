#!/usr/bin/python3
"""Holds two of ARCHITECTURE.md's invariants: dependencies point down only, and codec, policy, event and merkle contain
no sockets, files, clocks, threads, logging or randomness. Exit 1 names each line that breaks one."""
import pathlib
import re
import sys

SOURCE = pathlib.Path(__file__).resolve().parents[1] / "src"

# What each folder may include from, besides itself. The order is the order of floors.
MAY_INCLUDE = {
    "core": set(),
    "event": {"core"},
    "codec": {"core", "event"},
    "policy": {"core", "event", "yaml"},
    "merkle": {"core"},
    "yaml": {"core"},
    "journal": {"core", "merkle"},
    "archive": {"core", "event", "merkle", "journal"},
    "config": {"core", "event", "codec", "yaml", "policy", "gateway/config.h", "merkle"},
    "net": {"core"},
    "gateway": {"core", "event", "codec", "policy", "merkle", "journal", "net"},
    "sensor": {"core", "event", "codec", "archive/sqlite.h"},
    "app": None,  # the one place that knows everything
}

PURE = ["codec", "policy", "event", "merkle", "core"]
IMPURE = re.compile(
    r"#include <(sys/socket|sys/stat|fcntl|unistd|poll|netdb|ctime|time\.h|thread|mutex|condition_variable|atomic|future|fstream"
    r"|iostream|random|filesystem|boost/asio|openssl/ssl|openssl/rand)"
    r"|\b(system_clock|steady_clock)::now\b|\bstd::random_device\b|\bRAND_bytes\b|\bgettimeofday\b|\bclock_gettime\b|\bprintf\(|\bstd::cerr\b")
# Looked at and let be, with the reason.
EXEMPT = {
    ("policy/lexicon/lexicon.h", "#include <atomic>"): "slots of working memory; what is judged does not depend on them",
    ("policy/lexicon/character_table.h", "#include <atomic>"): "pages of a table of ICU's; nothing depends on when one is made",
}
TEST = re.compile(r"(_test|_fuzz|_bench)\.cc$|/testing/|_oracle\.h$")


def faults():
    for path in sorted([*SOURCE.rglob("*.h"), *SOURCE.rglob("*.cc")]):
        relative = path.relative_to(SOURCE).as_posix()
        if TEST.search(relative):
            continue
        folder = relative.split("/")[0]
        if folder not in MAY_INCLUDE:
            yield f"{relative}:1: the folder {folder}/ has no floor in test/layering.py"
            continue
        allowed = MAY_INCLUDE[folder]
        for number, line in enumerate(path.read_text().splitlines(), 1):
            include = re.match(r'#include "([^"]+)"', line)
            if include and allowed is not None:
                target = include.group(1)
                top = target.split("/")[0]
                if "/" in target and top != folder and top not in allowed and target not in allowed:
                    yield f"{relative}:{number}: {folder}/ may not include {target}"
            exempt = (relative, line.strip()) in EXEMPT
            if folder in PURE and not exempt and IMPURE.search(line) and not line.lstrip().startswith("//"):
                yield f"{relative}:{number}: {folder}/ holds no sockets, files, clocks, threads or randomness: {line.strip()}"


def main():
    found = list(faults())
    for fault in found:
        print(fault)
    print(f"{len(found)} faults of layering" if found else "layering holds")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
