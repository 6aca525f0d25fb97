#!/usr/bin/env python3
"""Verifies an export of Caseledger's log with nothing but Python's standard library.

    verify_export.py EXPORT PUBLIC-KEY [CHECKPOINT-FILE]...

It shares no code with Caseledger: see ../audit.md for what it follows. Exit status 0: everything is as it was signed; 1: it is not.
"""
import base64, hashlib, json, struct, sys, uuid

P = 2**255 - 19  # Ed25519, as RFC 8032 has it: slow, short, and for public values only.
D = -121665 * pow(121666, P - 2, P) % P


def must(holds, otherwise):
    if not holds:
        raise ValueError(otherwise)


def add(a, b):
    e, f = (a[1] - a[0]) * (b[1] - b[0]) % P, (a[1] + a[0]) * (b[1] + b[0]) % P
    c, d = 2 * a[3] * b[3] * D % P, 2 * a[2] * b[2] % P
    e, f, g, h = f - e, d - c, d + c, f + e
    return e * f % P, g * h % P, f * g % P, e * h % P


def times(factor, point):
    result = (0, 1, 1, 0)
    for bit in bin(factor)[2:]:
        result = add(result, result)
        result = add(result, point) if bit == "1" else result
    return result


def point(encoded):
    y = int.from_bytes(encoded, "little")
    sign, y = y >> 255, y & (1 << 255) - 1
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    x = x if (x * x - square) % P == 0 else x * pow(2, (P - 1) // 4, P) % P
    must((x * x - square) % P == 0 and y < P, "no point of the curve")
    x = x if x & 1 == sign else P - x
    return x, y, 1, x * y % P


def is_signature(key, text, signature):
    base_y = 4 * pow(5, P - 2, P) % P
    r, s = signature[:32], int.from_bytes(signature[32:], "little")
    h = int.from_bytes(hashlib.sha512(r + key + text).digest(), "little") % (2**252 + 27742317777372353535851937790883648493)
    left, right = times(s, point(base_y.to_bytes(32, "little"))), add(point(r), times(h, point(key)))
    return s < 2**253 and (left[0] * right[2] - right[0] * left[2]) % P == 0 and (left[1] * right[2] - right[1] * left[2]) % P == 0


def checkpoint(note, vkey):
    """The size and root that a signed note (C2SP signed-note, tlog-checkpoint) has."""
    name, key_hash, key = vkey.strip().split("+", 2)
    key = base64.b64decode(key)
    must(key[0] == 1 and hashlib.sha256(name.encode() + b"\n" + key).hexdigest()[:8] == key_hash, "that is no public key")
    text, signatures = note.rsplit("\n\n", 1)
    text += "\n"
    for line in signatures.splitlines():
        dash, signer, signature = line.split(" ")
        signature = base64.b64decode(signature)
        if dash == "\u2014" and signer == name and signature[:4].hex() == key_hash:
            must(is_signature(key[1:], text.encode(), signature[4:]), "a checkpoint's signature is wrong")
            origin, size, root = text.splitlines()[:3]
            must(origin == name, "a checkpoint is of another log")
            return int(size), base64.b64decode(root)
    raise ValueError(f"a checkpoint is not signed by {name}")


def leaf_hash(row):
    number, text = (lambda n: struct.pack(">q", n)), str.encode
    columns = [
        ("position", number), ("service", text), ("service_position", number), ("event_id", lambda i: uuid.UUID(i).bytes),
        ("command_id", lambda i: uuid.UUID(i).bytes), ("client", text), ("event_type", text), ("event_version", text),
        ("aggregate_type", text), ("aggregate_id", text), ("sequence", number), ("recorded_at", number),
        ("occurred_at", number), ("metadata", text), ("payload", text),
    ]
    fields = [encode(row[name]) for name, encode in columns]
    return hashlib.sha256(b"\0\1" + b"".join(struct.pack(">I", len(field)) + field for field in fields)).digest()


def node_hash(left, right):
    return hashlib.sha256(b"\1" + left + right).digest()


def push(peaks, leaf):
    """Adds a leaf to the roots of the perfect subtrees (RFC 6962, section 2.1): a list of (size, root), the largest first."""
    size = 1
    while peaks and peaks[-1][0] == size:
        size, leaf = 2 * size, node_hash(peaks.pop()[1], leaf)
    peaks.append((size, leaf))


def root(peaks):
    hashes = [peak for _, peak in peaks] or [hashlib.sha256(b"").digest()]
    result = hashes.pop()
    while hashes:
        result = node_hash(hashes.pop(), result)
    return result


def root_by_proof(index, size, leaf, proof):
    """What the proof of inclusion leads to (RFC 9162, section 2.1.3.2)."""
    last = size - 1
    for beside in map(base64.b64decode, proof):
        must(last > 0, "a proof is too long")
        if index & 1 or index == last:
            leaf = node_hash(beside, leaf)
            while not index & 1 and index:
                index, last = index >> 1, last >> 1
        else:
            leaf = node_hash(leaf, beside)
        index, last = index >> 1, last >> 1
    must(last == 0, "a proof is too short")
    return leaf


def verify(path, vkey, others):
    others = dict(checkpoint(open(other, encoding="utf-8").read(), vkey) for other in others)
    lines = (json.loads(line) for line in open(path, encoding="utf-8", newline="\n"))
    header, peaks, proven, line = next(lines)["export"], [], [], {}
    for position, line in enumerate(lines, 1):
        if "event" not in line:
            break
        row = line["event"]
        if header["of"] == "case":
            must((row["aggregate_id"], row["sequence"]) == (header["aggregate_id"], position), f"position {row['position']} is out of order")
            proven.append((row["position"], leaf_hash(row), line["proof"]))
            continue
        must(row["position"] == position, f"position {position} is missing")
        push(peaks, leaf_hash(row))
        if position in others:
            must(root(peaks) == others[position], f"the first {position} events are not those of the checkpoint")
    size, signed = checkpoint(line["checkpoint"], vkey)
    must(next(lines, None) is None, "there is something after the checkpoint")
    if header["of"] == "log":
        must((sum(count for count, _ in peaks), root(peaks)) == (size, signed), "the events are not those that were signed")
        return f"{size} events are those that were signed"
    for position, leaf, proof in proven:
        must(root_by_proof(position - 1, size, leaf, proof) == signed, f"position {position} is not what was signed")
    must(proven, "there are no events")
    return f"{len(proven)} events of the case are in the log of {size} that was signed"


if __name__ == "__main__":
    try:
        print(verify(sys.argv[1], sys.argv[2], sys.argv[3:]))
    except (KeyError, ValueError, StopIteration, IndexError, TypeError, struct.error) as fault:
        sys.exit(f"NOT VERIFIED: {fault!r}")
