#!/usr/bin/python3
"""Vectors for src/merkle, made by an implementation of its own: RFC 6962 §2.1 word for word (hashlib), Ed25519 by RFC 8032
(ed25519.py), notes, cosignatures and tiles by C2SP's texts. src/merkle/vectors_test.cc reads them: one a line, fields
separated by blanks, octets in hex. `ok` must be accepted and be what the program makes itself, `bad` must be refused.

    leaves N                                  all trees below are of leaves "leaf 0", "leaf 1", …
    root SIZE HASH
    inclusion ok|bad INDEX SIZE LEAFHASH ROOT PROOF     PROOF: hashes joined by commas, or -
    consistency ok|bad OLD SIZE OLDROOT ROOT PROOF
    tile SIZE PATH SHA256                     of the tile's octets
    note ok|bad VKEY NOTE SEED                SEED: what signed it, or -
    cosignature ok|bad VKEY NOTE SEED TIME
"""
import base64
import hashlib
import random
import struct

import ed25519

LEAVES = 1100
SIZES = [1, 2, 3, 4, 5, 6, 7, 8, 9, 31, 32, 33, 255, 256, 257, 511, 512, 513, 1023, 1024, 1025, 1100]


def sha256(octets):
    return hashlib.sha256(octets).digest()


DATA = [f"leaf {i}".encode() for i in range(LEAVES)]
_memo = {}


def largest_power_below(n):
    k = 1
    while k * 2 < n:
        k *= 2
    return k


def mth(begin, end):
    """MTH(D[begin:end]), RFC 6962 §2.1."""
    if (begin, end) not in _memo:
        n = end - begin
        if n == 0:
            value = sha256(b"")
        elif n == 1:
            value = sha256(b"\x00" + DATA[begin])
        else:
            k = largest_power_below(n)
            value = sha256(b"\x01" + mth(begin, begin + k) + mth(begin + k, end))
        _memo[begin, end] = value
    return _memo[begin, end]


def path(m, begin, end):
    """PATH(m, D[begin:end]), §2.1.1."""
    n = end - begin
    if n == 1:
        return []
    k = largest_power_below(n)
    if m < k:
        return path(m, begin, begin + k) + [mth(begin + k, end)]
    return path(m - k, begin + k, end) + [mth(begin, begin + k)]


def subproof(m, begin, end, whole):
    """SUBPROOF(m, D[begin:end], b), §2.1.2."""
    n = end - begin
    if m == n:
        return [] if whole else [mth(begin, end)]
    k = largest_power_below(n)
    if m <= k:
        return subproof(m, begin, begin + k, whole) + [mth(begin + k, end)]
    return subproof(m - k, begin + k, end, False) + [mth(begin, begin + k)]


def hexes(hashes):
    return ",".join(h.hex() for h in hashes) or "-"


def flipped(octets, bit):
    changed = bytearray(octets)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


def spoilt(proof, rng):
    """The ways in which transparency-dev's own vectors spoil a proof, and bit flips."""
    extra = sha256(b"extra")
    yield proof + [extra]
    yield [extra] + proof
    if proof:
        yield proof[:-1]
        yield proof[1:]
        yield proof + [proof[-1]]
        at = rng.randrange(len(proof))
        yield proof[:at] + [flipped(proof[at], rng.randrange(256))] + proof[at + 1:]
        yield proof[:at] + [bytes(32)] + proof[at + 1:]
    if len(proof) > 1 and proof != proof[::-1]:
        yield proof[::-1]


def inclusion_vectors(rng):
    for size in SIZES:
        for index in sorted({0, size // 2, size - 1, rng.randrange(size)}):
            leaf, root, proof = sha256(b"\x00" + DATA[index]), mth(0, size), path(index, 0, size)
            line = lambda verdict, i, n, l, r, p: f"inclusion {verdict} {i} {n} {l.hex()} {r.hex()} {hexes(p)}"
            yield line("ok", index, size, leaf, root, proof)
            for bad in spoilt(proof, rng):
                yield line("bad", index, size, leaf, root, bad)
            yield line("bad", size, size, leaf, root, proof)
            yield line("bad", index, size, flipped(leaf, rng.randrange(256)), root, proof)
            yield line("bad", index, size, leaf, flipped(root, rng.randrange(256)), proof)
            yield line("bad", index, size, sha256(b"\x01" + DATA[index]), root, proof)
            if size > 1:
                yield line("bad", (index + 1) % size, size, leaf, root, proof)


def consistency_vectors(rng):
    for size in SIZES:
        for old in sorted({1, size // 2 or 1, size - 1 or 1, size, rng.randrange(size) + 1}):
            old_root, root, proof = mth(0, old), mth(0, size), subproof(old, 0, size, True)
            line = lambda verdict, o, n, a, b, p: f"consistency {verdict} {o} {n} {a.hex()} {b.hex()} {hexes(p)}"
            yield line("ok", old, size, old_root, root, proof)
            for bad in spoilt(proof, rng):
                yield line("bad", old, size, old_root, root, bad)
            yield line("bad", old, size, flipped(old_root, rng.randrange(256)), root, proof)
            yield line("bad", old, size, old_root, flipped(root, rng.randrange(256)), proof)
            yield line("bad", 0, size, sha256(b""), root, proof)
            if old < size:
                yield line("bad", size, old, root, old_root, proof)


def number_path(n):
    """tlog-tiles: three digits each, all but the last with an x before."""
    parts = [f"{n % 1000:03}"]
    while n >= 1000:
        n //= 1000
        parts.insert(0, f"x{n % 1000:03}")
    return "/".join(parts)


def tile_vectors():
    for size in SIZES:
        level = 0
        while size >> 8 * level:
            span, count = 256**level, size >> 8 * level
            for tile in range((count + 255) // 256):
                width = min(256, count - tile * 256)
                octets = b"".join(mth(i * span, (i + 1) * span) for i in range(tile * 256, tile * 256 + width))
                partial = "" if width == 256 else f".p/{width}"
                yield f"tile {size} tile/{level}/{number_path(tile)}{partial} {sha256(octets).hex()}"
            level += 1


def key_of(name, kind, seed):
    public = bytes([kind]) + ed25519.public_key(seed)
    key_id = sha256(name.encode() + b"\n" + public)[:4]
    return key_id, f"{name}+{key_id.hex()}+{base64.b64encode(public).decode()}"


def note(text, name, octets):
    return f"{text}\n\u2014 {name} {base64.b64encode(octets).decode()}\n".encode()


def checkpoint(origin, size):
    return f"{origin}\n{size}\n{base64.b64encode(mth(0, size)).decode()}\n"


def note_vectors(rng):
    for name in ("example.com/log", "demo/gateway-1/00000001-9f3ac2d1", "größe"):
        seed = rng.randbytes(32)
        key_id, vkey = key_of(name, 1, seed)
        for text in (checkpoint(name, 7), "one line\n", "two\n\nparagraphs\n"):
            signed = ed25519.sign(seed, text.encode())
            line = lambda verdict, octets, by=None: f"note {verdict} {vkey.encode().hex()} {octets.hex()} {by.hex() if by else '-'}"
            yield line("ok", note(text, name, key_id + signed), seed)
            yield line("bad", note(text, name, key_id + flipped(signed, rng.randrange(512))))
            yield line("bad", note(text, name, flipped(key_id, 3) + signed))
            yield line("bad", note(text, name + "x", key_id + signed))
            yield line("bad", note("x" + text, name, key_id + signed))
            yield line("bad", note(text, name, key_id + signed)[:-1])
            yield line("bad", note(text, name, key_id + signed + b"\0"))
            s = int.from_bytes(signed[32:], "little") + ed25519.L  # §5.1.7: S must be below L
            yield line("bad", note(text, name, key_id + signed[:32] + s.to_bytes(32, "little")))


def cosignature_vectors(rng):
    seed = rng.randbytes(32)
    key_id, vkey = key_of("witness.example/w1", 4, seed)
    for time in (1, 1_700_000_000, 2**40):
        text = checkpoint("example.com/log", 513)
        signed = ed25519.sign(seed, f"cosignature/v1\ntime {time}\n{text}".encode())
        stamp = struct.pack(">Q", time)
        line = lambda verdict, octets, by=None: (
            f"cosignature {verdict} {vkey.encode().hex()} {note(text, 'witness.example/w1', octets).hex()} {by.hex() if by else '-'} {time}")
        yield line("ok", key_id + stamp + signed, seed)
        yield line("bad", key_id + struct.pack(">Q", time + 1) + signed)
        yield line("bad", key_id + stamp + flipped(signed, rng.randrange(512)))
        yield line("bad", key_id + stamp + ed25519.sign(seed, text.encode()))
        yield line("bad", key_id + signed)


def main():
    rng = random.Random(6962)  # the same vectors each time
    print(f"leaves {LEAVES}")
    print(f"root 0 {sha256(b'').hex()}")
    for size in SIZES:
        print(f"root {size} {mth(0, size).hex()}")
    for vectors in (inclusion_vectors(rng), consistency_vectors(rng), tile_vectors(), note_vectors(rng), cosignature_vectors(rng)):
        for line in vectors:
            print(line)


if __name__ == "__main__":
    main()
