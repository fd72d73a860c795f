#!/usr/bin/env python3
"""A small client of the wire in docs/wire.md, standard library only.

Signs on, sends each FILE as one message (.json as a command, anything else as ISO 20022 XML), prints
every message that comes back, acknowledges it, and signs off after --wait seconds without a message.

    client.py --participant alatau --secret alatau.secret --bic CASPKZKA payment.xml

The last sequence held is kept in --state, so that the next run goes on where this one ended.
"""
import argparse
import hashlib
import hmac
import os
import pathlib
import socket
import struct
import sys
import time

HELLO, CHALLENGE, SIGN_ON, SIGNED_ON, DATA, ACKNOWLEDGE, SKIP, HEARTBEAT, SIGN_OFF, ERROR = range(1, 11)
MORE_FOLLOWS, POSSIBLE_DUPLICATE, CLOSES = 1, 2, 4
CONTENT_TYPE, SEQUENCE, ACKNOWLEDGED, CODE, TEXT, ADDRESS = 1, 2, 3, 7, 8, 9
VERSIONS, NAME, MODE, BIC, NONCE, HELD, HEARTBEAT_MS, MESSAGE_BYTES_MAX, MAC = 16, 17, 18, 19, 20, 21, 22, 25, 26
BODY_BYTES_MAX = 48 * 1024


def frame(kind, headers=(), body=b"", flags=0):
    """One frame; `headers` is a list of (tag, bytes)."""
    block = b"".join(struct.pack(">HH", tag, len(value)) + value for tag, value in headers)
    return struct.pack(">2sBBBBHI", b"TP", 1, kind, flags, 0, len(block), len(block) + len(body)) + block + body


def u64(number):
    return struct.pack(">Q", number)


class Frame:
    """A frame as it was read: type, flags, headers by tag, body, and the raw bytes."""

    def __init__(self, prefix, rest):
        magic, version, self.kind, self.flags, _, headers_bytes, _ = struct.unpack(">2sBBBBHI", prefix)
        if magic != b"TP" or version != 1:
            raise ConnectionError("not a frame of version 1")
        self.raw, self.body, self.headers = prefix + rest, rest[headers_bytes:], {}
        at = 0
        while at < headers_bytes:
            tag, length = struct.unpack_from(">HH", rest, at)
            self.headers.setdefault(tag & 0x7FFF, []).append(rest[at + 4 : at + 4 + length])
            at += 4 + length

    def number(self, tag):
        return int.from_bytes(self.headers[tag][0], "big") if tag in self.headers else None


class Link:
    """A connection to the switch."""

    def __init__(self, host, port):
        self.socket = socket.create_connection((host, port), timeout=10)
        self.buffer = b""

    def write(self, raw):
        self.socket.sendall(raw)

    def read(self, deadline=None):
        """The next frame, or None when the deadline passes first."""
        while True:
            if len(self.buffer) >= 12:
                total = 12 + int.from_bytes(self.buffer[8:12], "big")
                if len(self.buffer) >= total:
                    taken, self.buffer = self.buffer[:total], self.buffer[total:]
                    return self.checked(Frame(taken[:12], taken[12:]))
            if deadline is not None:
                left = deadline - time.monotonic()
                if left <= 0:
                    return None
                self.socket.settimeout(left)
            try:
                more = self.socket.recv(65536)
            except TimeoutError:
                return None
            if not more:
                raise ConnectionError("the switch closed the connection")
            self.buffer += more

    @staticmethod
    def checked(got):
        if got.kind == ERROR:
            text = got.headers.get(TEXT, [b""])[0].decode()
            about = f" about message {got.number(SEQUENCE)}" if SEQUENCE in got.headers else ""
            print(f"error {got.number(CODE)}{about}: {text}", file=sys.stderr)
            if got.flags & CLOSES:
                sys.exit(1)
        return got


def mac(secret, label, *frames):
    """HMAC over label, zero, empty channel binding, and the frames; the last one comes without its MAC."""
    return hmac.new(secret, label + b"\0" + b"\0\0" + b"".join(frames), hashlib.sha256).digest()


def sign_on(link, secret, name, mode, bics, held):
    """Returns the last sequence of ours that the switch holds, and the heartbeat in seconds."""
    hello = frame(HELLO, [(VERSIONS, b"\1\1"), (NAME, name.encode()), (MODE, bytes([mode]))]
                  + [(BIC, bic.encode()) for bic in bics]
                  + [(HELD, u64(held)), (NONCE, os.urandom(32))])
    link.write(hello)
    challenge = link.read()
    if challenge is None or challenge.kind != CHALLENGE:
        raise ConnectionError("no CHALLENGE came")
    unsealed = frame(SIGN_ON, [(MAC, bytes(32))])[:-36]
    proof = mac(secret, b"torap-wire/1 bank", hello, challenge.raw, unsealed)
    sealed = frame(SIGN_ON, [(MAC, proof)])
    link.write(sealed)
    answer = link.read()
    if answer is None or answer.kind != SIGNED_ON:
        raise ConnectionError("no SIGNED_ON came")
    expected = mac(secret, b"torap-wire/1 switch", hello, challenge.raw, sealed, answer.raw[:-36])
    if not hmac.compare_digest(expected, answer.raw[-32:]):
        raise ConnectionError("the switch does not know our secret")
    return answer.number(HELD), answer.number(HEARTBEAT_MS) / 1000


def send(link, sequence, content_type, body):
    """One message, in as many frames as it needs."""
    parts = [body[at : at + BODY_BYTES_MAX] for at in range(0, len(body), BODY_BYTES_MAX)] or [b""]
    for index, part in enumerate(parts):
        headers = [(SEQUENCE, u64(sequence))]
        if index == 0:
            headers.append((CONTENT_TYPE, struct.pack(">H", content_type)))
        link.write(frame(DATA, headers, part, MORE_FOLLOWS if index + 1 < len(parts) else 0))


def receive(link, held, heartbeat, wait, state):
    """Prints and acknowledges messages until none came for `wait` seconds."""
    quiet_at, parts = time.monotonic() + wait, []
    while time.monotonic() < quiet_at:
        got = link.read(min(quiet_at, time.monotonic() + heartbeat / 2))
        if got is None:
            link.write(frame(HEARTBEAT))
            continue
        if got.kind == SIGN_OFF:
            moved = [address.decode() for address in got.headers.get(ADDRESS, [])]
            print("the switch signed off", *moved, file=sys.stderr)
            link.write(frame(SIGN_OFF))
            sys.exit(0)
        if ACKNOWLEDGED in got.headers:
            print(f"the switch holds our messages up to {got.number(ACKNOWLEDGED)}", file=sys.stderr)
        if got.kind not in (DATA, SKIP):
            continue
        sequence, parts = got.number(SEQUENCE), parts + [got]
        if got.flags & MORE_FOLLOWS and got.kind == DATA:
            continue
        whole, parts = parts, []
        if sequence > held:
            if got.kind == DATA:
                again = " (possible duplicate)" if whole[0].flags & POSSIBLE_DUPLICATE else ""
                print(f"message {sequence}, content type {whole[0].number(CONTENT_TYPE)}{again}:", file=sys.stderr)
                print(b"".join(part.body for part in whole).decode(), flush=True)
            held = sequence
            state.write_text(f"{held}\n")  # held safely from here on: now it may be acknowledged
        link.write(frame(ACKNOWLEDGE, [(ACKNOWLEDGED, u64(held))]))
        quiet_at = time.monotonic() + wait


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=7801)
    parser.add_argument("--participant", required=True, help="name of the participant")
    parser.add_argument("--secret", required=True, help="file with the secret, 64 hexadecimal digits")
    parser.add_argument("--bic", required=True, action="append", help="whom to speak for; may be repeated")
    parser.add_argument("--mode", choices=["TEST", "LIVE"], default="TEST")
    parser.add_argument("--state", help="file with the last sequence held (default: PARTICIPANT.held)")
    parser.add_argument("--wait", type=float, default=2.0, help="seconds to wait for further messages")
    parser.add_argument("files", nargs="*", metavar="FILE")
    options = parser.parse_args()
    secret = bytes.fromhex(pathlib.Path(options.secret).read_text().strip())
    state = pathlib.Path(options.state or f"{options.participant}.held")
    held = int(state.read_text()) if state.exists() else 0

    link = Link(options.host, options.port)
    mode = 1 if options.mode == "TEST" else 2
    last, heartbeat = sign_on(link, secret, options.participant, mode, options.bic, held)
    print(f"signed on; the switch holds our messages up to {last}", file=sys.stderr)
    for sequence, path in enumerate(options.files, last + 1):
        send(link, sequence, 2 if path.endswith(".json") else 1, pathlib.Path(path).read_bytes())
        print(f"sent {path} as message {sequence}", file=sys.stderr)
    receive(link, held, heartbeat, options.wait, state)
    link.write(frame(SIGN_OFF))
    while (got := link.read(time.monotonic() + 5)) and got.kind != SIGN_OFF:
        pass


if __name__ == "__main__":
    main()
