#!/usr/bin/python3
"""How much of what is known to be in captures `chancery detect` finds, beside ndpiReader and msgsnarf on the same files.

    bench/sensor/score.py [--captures DIR] [--chancery PROGRAM] [--verbose]

DIR holds truth.tsv (file, …, applications), messages.tsv (file, protocol, frame, …, sender, receiver, text) and
messages-made.tsv (file, protocol, from, to, text). A name in parentheses, or none, is one that the wire does not say.
A message counts when text, parties and (where the frame is given) the packet's time agree; one that is in no list counts
as invented. Exit 1 when fewer than 95 % of labels are found, a negative is named, or messages are missed or invented.
"""
import argparse
import collections
import csv
import json
import pathlib
import re
import struct
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
MESSENGERS = {"im", "p2p", "voip", "web-im"}


def rows(path):
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


def frame_times(path):
    """Times of the frames of a pcap or pcapng file, in microseconds; [0] is frame 1."""
    data = path.read_bytes()
    if data[:4] == b"\x0a\x0d\x0d\x0a":
        return list(pcapng_times(data))
    order = "<" if data[:4] in (b"\xd4\xc3\xb2\xa1", b"\x4d\x3c\xb2\xa1") else ">"
    nanoseconds = struct.unpack(order + "I", data[:4])[0] == 0xA1B23C4D
    times, at = [], 24
    while at + 16 <= len(data):
        seconds, fraction, size, _ = struct.unpack_from(order + "IIII", data, at)
        times.append(seconds * 1_000_000 + (fraction // 1000 if nanoseconds else fraction))
        at += 16 + size
    return times


def pcapng_times(data):
    at, order, ticks = 0, "<", []
    while at + 12 <= len(data):
        if data[at:at + 4] == b"\x0a\x0d\x0d\x0a":
            order = "<" if data[at + 8:at + 12] == b"\x4d\x3c\x2b\x1a" else ">"
            ticks = []
        kind, size = struct.unpack_from(order + "II", data, at)
        if size < 12:
            return
        if kind == 1:
            per_second, option = 1_000_000, at + 16
            while option + 4 <= at + size - 4:
                code, length = struct.unpack_from(order + "HH", data, option)
                if code == 0:
                    break
                if code == 9:
                    per_second = 1 << (data[option + 4] & 127) if data[option + 4] & 128 else 10 ** data[option + 4]
                option += 4 + (length + 3) // 4 * 4
            ticks.append(per_second)
        if kind == 6:
            number, high, low = struct.unpack_from(order + "III", data, at + 8)
            yield ((high << 32) | low) * 1_000_000 // ticks[number]
        at += size


def microseconds(text):
    import datetime
    moment = datetime.datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=datetime.timezone.utc)
    return round((moment - datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)) / datetime.timedelta(microseconds=1))


def detect(program, path):
    done = subprocess.run([program, "detect", "-r", str(path), "--json"], capture_output=True, check=True)
    return json.loads(done.stdout)


def ndpi_names(path):
    try:
        done = subprocess.run(["ndpiReader", "-i", str(path)], capture_output=True, check=False)
    except FileNotFoundError:
        return None
    text = done.stdout.decode(errors="replace")
    part = text[text.find("Detected protocols:"):]
    part = part[:part.find("Protocol statistics")]
    return set(re.findall(r"^\t(\S+)\s+packets:", part, re.M))


def msgsnarf_count(path):
    try:
        done = subprocess.run(["msgsnarf", "-p", str(path)], capture_output=True, check=False, timeout=60)
    except (FileNotFoundError, subprocess.TimeoutExpired):
        return None
    return sum(1 for line in done.stdout.splitlines() if b">" in line)


def plain(text):
    return text.replace("\r\n", "\n").replace("\r", "\n").strip()


def name(text):
    text = text.strip()
    return "" if text.startswith("(") else text.casefold().split("/")[0]


def same_party(truth, ours):
    wanted = {name(each) for each in truth.split(",")} - {""}
    got = {name(each) for each in ours.split(",")} - {""}
    return not wanted or not got or wanted == got


class Messages:
    """What must be read of one file, with the time of the packet where it is known."""

    def __init__(self, path, public, made):
        times = frame_times(path) if public else []
        self.wanted = [dict(sender=row["sender"], receiver=row["receiver"], time=times[int(row["frame"]) - 1],
                            text=plain(row["text"].replace("\\n", "\n").replace("\\r", "\r"))) for row in public]
        self.wanted += [dict(sender=row["from"], receiver=row["to"], time=None,
                             text=plain(row["text"].replace("\\n", "\n"))) for row in made]
        self.copies_too = bool(public)  # each time one is on the wire; else each message once

    def judge(self, ours):
        left, found, invented = list(self.wanted), [], []
        for message in ours:
            if not self.copies_too and message["copy_of"] is not None:
                continue
            for wanted in left:
                undecoded = wanted["text"].startswith("(text not decoded")
                if (undecoded or wanted["text"] == plain(message["text"])) \
                        and same_party(wanted["sender"], message["from"]) \
                        and same_party(wanted["receiver"], message["to"]) \
                        and (wanted["time"] is None or abs(wanted["time"] - microseconds(message["time"])) <= 1):
                    left.remove(wanted)
                    found.append(message)
                    break
            else:
                invented.append(message)
        return found, left, invented


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--captures", type=pathlib.Path, default=ROOT.parent / "shared" / "captures")
    parser.add_argument("--chancery", default=str(ROOT / "build" / "release" / "chancery"))
    parser.add_argument("--verbose", action="store_true")
    arguments = parser.parse_args()
    folder = arguments.captures
    if not (folder / "truth.tsv").exists():
        print(f"there is no truth.tsv in {folder}: nothing to measure", file=sys.stderr)
        return 2
    public, made = collections.defaultdict(list), collections.defaultdict(list)
    for row in rows(folder / "messages.tsv"):
        public[row["file"]].append(row)
    for row in rows(folder / "messages-made.tsv"):
        made[row["file"]].append(row)
    total = collections.Counter()
    print(f"{'file':34} {'labels':>7} {'ndpi':>5} {'false':>6} {'messages':>9} {'invented':>9} {'msgsnarf':>9}")
    for row in rows(folder / "truth.tsv"):
        path = folder / row["file"]
        answer = detect(arguments.chancery, path)
        truth = set() if row["im_p2p_truth"] == "-" else set(row["im_p2p_truth"].split(","))
        named = {each["name"] for each in answer["applications"] if each["category"] in MESSENGERS}
        theirs = ndpi_names(path)
        messages = Messages(path, public[row["file"]], made[row["file"]])
        found, missed, invented = messages.judge(answer["messages"])
        snarfed = msgsnarf_count(path)
        false = named - truth
        total.update(labels=len(truth), found=len(truth & named), ndpi=len(truth & (theirs or set())),
                     negatives_named=len(false) if not truth else 0, other_names=len(false) if truth else 0,
                     messages=len(messages.wanted), read=len(found), invented=len(invented), snarfed=snarfed or 0)
        print(f"{row['file']:34} {len(truth & named):>3}/{len(truth):<3} {len(truth & (theirs or set())):>5} {len(false):>6} "
              f"{len(found):>4}/{len(messages.wanted):<4} {len(invented):>9} {'-' if snarfed is None else snarfed:>9}")
        if arguments.verbose:
            for each in sorted(truth - named):
                print(f"    not found: {each}")
            for each in sorted(false):
                print(f"    also named: {each}")
            for each in missed:
                print(f"    not read: {each['sender']} > {each['receiver']}: {each['text'][:70]!r}")
            for each in invented:
                print(f"    invented: {each['time']} {each['from']} > {each['to']}: {each['text'][:70]!r}")
    print(f"\nlabels found {total['found']}/{total['labels']} (ndpiReader {total['ndpi']}), names on negatives "
          f"{total['negatives_named']}, further names elsewhere {total['other_names']}")
    print(f"messages read {total['read']}/{total['messages']}, invented {total['invented']} (msgsnarf {total['snarfed']} lines)")
    good = total["found"] >= 0.95 * total["labels"] and not total["negatives_named"] and not total["invented"] \
        and total["read"] == total["messages"]
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
