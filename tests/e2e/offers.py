"""More than 1,000 offers that are none: each is answered with a 4xx problem within 1 s, and leaves nothing."""

from __future__ import annotations

import argparse
import asyncio
import gzip
import random
import re
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import aioice.ice

from harness import Checks, Server, arguments, run
from sdp_offers import CHROMIUM, max_bundle, real_offers

AT_LEAST = 1_000
#: Of so many cuts within lines; there are thousands, which differ little.
CUTS = 300
SEED = 8866
LIMIT_SECONDS = 1.0
SDP = "application/sdp"
HUGE = ("4294967296", "18446744073709551616", "9" * 40)


@dataclass(frozen=True)
class Mutation:
    family: str
    base: str
    what: str
    body: bytes
    content_type: str | None = SDP

    def __str__(self) -> str:
        return f"[{self.family}] {self.base}: {self.what}"


class Base:
    """A valid offer, taken apart."""

    def __init__(self, name: str, sdp: str) -> None:
        self.name, self.sdp = name, sdp
        self.lines = sdp.removesuffix("\r\n").split("\r\n")
        self.media = [number for number, line in enumerate(self.lines) if line.startswith("m=")]

    def text(self, lines: Iterable[str]) -> bytes:
        return "".join(f"{line}\r\n" for line in lines).encode("utf-8", "surrogateescape")

    def replaced(self, number: int, *by: str) -> bytes:
        return self.text([*self.lines[:number], *by, *self.lines[number + 1 :]])

    def where(self, prefix: str) -> list[int]:
        return [number for number, line in enumerate(self.lines) if line.startswith(prefix)]

    def ends(self) -> list[tuple[int, int]]:
        """Where sections begin and end."""
        return list(zip(self.media, [*self.media[1:], len(self.lines)]))

    def last_required(self) -> int:
        """The line of the last attribute that the last section cannot do without: a text that is cut
        off before it is no offer, whatever its end looks like."""
        begin, end = self.ends()[-1]
        required = re.compile(r"a=(ice-ufrag|ice-pwd|setup|sctp-port|rtcp-mux)\b")
        return max(number for number in range(begin, end) if required.match(self.lines[number]))


def fold(base: Base, family: str, cases: Iterable[tuple[str, bytes]]) -> Iterator[Mutation]:
    return (Mutation(family, base.name, what, body) for what, body in cases)


# Truncations: those within a line leave a line that does not end, which is no line (RFC 8866,
# section 9). A cut of nothing but the last line's end is left out: many would mend it.


def truncations(base: Base) -> Iterator[tuple[str, bytes]]:
    last = len(base.sdp) - 2
    for at in range(1, last):
        yield f"cut off after {at} bytes: ..{base.sdp[max(0, at - 30) : at]!r}", base.sdp[:at].encode()


def truncations_at_lines(base: Base) -> Iterator[tuple[str, bytes]]:
    for count in range(1, base.last_required() + 1):
        yield f"cut off after line {count}: {base.lines[count - 1]!r}", base.text(base.lines[:count])


def truncations_mended(base: Base) -> Iterator[tuple[str, bytes]]:
    """Cut off in a line before the last required attribute, but with an end of that line."""
    for number in range(1, base.last_required() + 1):
        line = base.lines[number]
        half = line[: max(3, len(line) // 2)]
        yield f"ends with {half!r}", base.text([*base.lines[:number], half])


# Values of attributes.

PRINT = ":".join(["5A"] * 32)
ICE_CHARS = "abcdefgh"

VALUES: dict[str, list[str]] = {
    "a=fingerprint:": [
        "", "sha-256", "sha-256 ", f"sha-256{PRINT}", f"sha-256 {PRINT[:-3]}", f"sha-256 {PRINT}:5A",
        f"sha-256 {PRINT[:-2]}ZZ", f"sha-256 {PRINT[:-1]}", f"sha-256 {PRINT.replace(':', '')}", f"sha-256 {PRINT}:",
        f"sha-256 {PRINT.replace(':', '-')}", f"sha-999 {PRINT}", f"sha-1 {PRINT}", f" {PRINT}", f"sha-256 {PRINT} {PRINT}",
        f"sha-256  {PRINT}", "sha-512 " + "5A:" * 5000 + "5A",
    ],
    "a=ice-ufrag:": ["", "a", "abc", "ab cd", "ab!d", "ab\tcd", "a" * 257, "abcd;", "äöüß", "ab=d", "a" * 5000, " abcd"],
    "a=ice-pwd:": ["", "short", "a" * 21, "a" * 257, "a" * 20 + " b", "a" * 21 + "!", "ü" * 22, "a" * 5000, " " + "a" * 22],
    "a=setup:": ["", "actpas", "actpass;", "actpass passive", "both", "client", " actpass", "actpass ", "0", "holdconn"],
    "a=mid:": ["", " ", "0 1", "a b", "a:b", "a/b", "a@b", "(0)", '"0"', "mid\tx", "nobody-bundles-me", "ü"],
    "a=group:": ["", " ", "BUNDLE 0 9", "BUNDLE nobody", "BUNDLE 0 1 2 3 4", "BUNDLE 0,1", "BUNDLE " + " ".join(map(str, range(5000)))],
    "a=candidate:": [
        "", "1", "1 1", "1 1 udp", "1 1 udp 2130706431", "1 1 udp 2130706431 127.0.0.1", "1 1 udp 2130706431 127.0.0.1 5000",
        "1 1 udp 2130706431 127.0.0.1 5000 typ", "1 1 udp 2130706431 127.0.0.1 5000 host", "1 1 udp 2130706431 127.0.0.1 99999 typ host",
        "1 1 udp 2130706431 127.0.0.1 -1 typ host", "1 1 udp 2130706431 127.0.0.1 port typ host", "1 x udp 2130706431 127.0.0.1 5000 typ host",
        "1 0 udp 2130706431 127.0.0.1 5000 typ host", "1 999 udp 2130706431 127.0.0.1 5000 typ host", "1 1 udp 99999999999 127.0.0.1 5000 typ host",
        "1 1 udp -1 127.0.0.1 5000 typ host", "1 1 udp high 127.0.0.1 5000 typ host", "1 1 udp 2130706431  5000 typ host",
        f"{'f' * 33} 1 udp 2130706431 127.0.0.1 5000 typ host", "f!o 1 udp 2130706431 127.0.0.1 5000 typ host",
        "1 1 udp 2130706431 127.0.0.1 5000 typ srflx raddr 127.0.0.1 rport 99999", *(f"1 1 udp {it} 127.0.0.1 5000 typ host" for it in HUGE),
        *(f"1 1 udp 1 127.0.0.1 {it} typ host" for it in HUGE), *(f"1 {it} udp 1 127.0.0.1 5000 typ host" for it in HUGE),
    ],
    "a=sctp-port:": ["", "abc", "0", "65536", "-1", "5000 5001", "5e3", "0x1388", "5000.0", " 5000", *HUGE],
    "a=max-message-size:": ["", "abc", "-1", "1e5", "262144 1", "0x40000"],
    "a=rtpmap:": ["", "{pt}", "{pt} VP8", "{pt} /90000", "{pt} VP8/", "{pt} VP8/0", "{pt} VP8/fast", "{pt} VP8/-90000", "{pt}VP8/90000",
                  "x VP8/90000", "-1 VP8/90000", "128 VP8/90000", "300 VP8/90000", "{pt} V P8/90000", "{pt} V@8/90000",
                  *(f"{{pt}} VP8/{it}" for it in HUGE), *(f"{it} VP8/90000" for it in HUGE)],
    "a=rtcp-fb:": ["", "x nack", "128 nack", "-1 nack", "77 nack", " nack", "{pt}"],
    "a=fmtp:": ["", "x apt=1", "128 apt=1", "77 apt=1", " apt=1", "{pt}"],
    "a=extmap:": ["", "x urn:a:b", "0 urn:a:b", "1", "1 ", "-1 urn:a:b", "1 nothing", "1/sideways urn:a:b", "256 urn:a:b", "99999 urn:a:b", *(f"{it} urn:a:b" for it in HUGE)],
    "a=ssrc:": ["", "x cname:a", "-1 cname:a", "12345", "12345 ", "0x10 cname:a", "1.5 cname:a", *(f"{it} cname:a" for it in HUGE)],
    "a=ssrc-group:": ["", "FID x", "FID -1", "FID 1 x", *(f"FID 1 {it}" for it in HUGE)],
    "a=msid:": ["", " ", "a b c", "a" * 65, "ü"],
    "a=rtcp:": ["", "x", "99999", "-1", "9 IN", "9 IN IP4", *HUGE],
    "c=": ["IN", "IN IP4", "x", "IN IP4 127.0.0.1 more", "127.0.0.1"],
    "o=": ["-", "- 1 2 IN IP4", "- x 2 IN IP4 127.0.0.1", "- 1 x IN IP4 127.0.0.1", "- -1 2 IN IP4 127.0.0.1", "1 2 IN IP4 127.0.0.1", "-  2 IN IP4 127.0.0.1"],
    "t=": ["0", "x y", "-1 0", "0 0 0", "0  0", "0,0"],
    "v=": ["", "1", "x", "0.0", "00", "0 ", " 0", "-0", *HUGE],
    "s=": [""],
}


def values(base: Base) -> Iterator[tuple[str, bytes]]:
    for prefix, wrong in VALUES.items():
        numbers = base.where(prefix)
        if not numbers:
            continue
        for at, value in enumerate(wrong):
            # Not all of a kind are broken, but each in its turn: what is checked only for the first
            # of them is found out.
            number = numbers[at % len(numbers)]
            given = re.match(r"a=\w[\w-]*:(\d+)", base.lines[number])
            line = prefix + value.format(pt=given[1] if given else "96") if "{pt}" in value else prefix + value
            yield f"{base.lines[number][:60]!r} -> {line[:90]!r}", base.replaced(number, line)


MEDIA = {
    "port": ["", "x", "99999", "-1", "9.5", "0x9", *HUGE],
    "protocol": ["", "RTP/AVP", "UDP", "x", "UDP/TLS/RTP/SAVPF/X", "UDP/TLS"],
}


def media_lines(base: Base) -> Iterator[tuple[str, bytes]]:
    for number in base.media:
        kind, port, protocol, *formats = base.lines[number].split(" ")
        lines = [f"{kind} {it} {protocol} {' '.join(formats)}" for it in MEDIA["port"]]
        lines += [f"{kind} {port} {it} {' '.join(formats)}" for it in MEDIA["protocol"]]
        lines += ["m=", "m=x", kind, f"{kind} {port}", f"{kind} {port} {protocol}", f"{kind} {port} {protocol} "]
        if kind != "m=application":
            lines += [f"{kind} {port} {protocol} {' '.join([*formats, it])}" for it in ("128", "x", "-1", "", "127", *HUGE)]
        for line in lines:
            yield f"{base.lines[number][:50]!r} -> {line[:90]!r}", base.replaced(number, line)


def removals(base: Base) -> Iterator[tuple[str, bytes]]:
    required = ["v=", "o=", "s=", "t=", "a=ice-ufrag:", "a=ice-pwd:", "a=setup:", "a=sctp-port:", "a=rtcp-mux", "a=mid:", "m="]
    for prefix in required:
        for number in base.where(prefix):
            # Without its `m=` the only section is attributes of a session with no media.
            yield f"without line {number + 1}, {base.lines[number][:60]!r}", base.replaced(number)
    for number in base.where("a=rtpmap:"):
        # RFC 3551, section 6: only dynamic types need one.
        if int(base.lines[number].split(":")[1].split(" ")[0]) >= 96:
            yield f"without line {number + 1}, {base.lines[number]!r}", base.replaced(number)
    for begin, end in base.ends():
        kept = [it for at, it in enumerate(base.lines) if not (begin <= at < end and it.startswith("a=fingerprint:"))]
        yield f"no fingerprint in the section of line {begin + 1}", base.text(kept)
    for prefix in ("a=ice-ufrag:", "a=ice-pwd:", "a=fingerprint:", "a=setup:", "m=", "a="):
        yield f"no {prefix!r} at all", base.text(line for line in base.lines if not line.startswith(prefix))


def duplicates(base: Base) -> Iterator[tuple[str, bytes]]:
    """Second ones of what may be there once, where they differ or the grammar has but one."""
    second = {
        "v=": "v=0", "o=": "o=- 1 2 IN IP4 127.0.0.1", "s=": "s=again", "a=mid:": "a=mid:other", "a=ice-ufrag:": "a=ice-ufrag:other",
        "a=ice-pwd:": "a=ice-pwd:" + "z" * 24, "a=setup:": "a=setup:passive", "a=sctp-port:": "a=sctp-port:5001",
        "a=max-message-size:": "a=max-message-size:1", "a=sendrecv": "a=recvonly", "a=group:BUNDLE": "a=group:BUNDLE 0",
    }
    for prefix, line in second.items():
        for number in base.where(prefix):
            yield f"line {number + 1} {base.lines[number][:50]!r}, and then {line!r}", base.replaced(number, base.lines[number], line)
    for prefix in ("a=rtpmap:", "a=extmap:"):
        for number in base.where(prefix)[:6]:
            key = base.lines[number].split(" ")[0]
            line = f"{key} other/8000" if prefix == "a=rtpmap:" else f"{key} urn:other:extension"
            yield f"{base.lines[number]!r}, and then {line!r}", base.replaced(number, base.lines[number], line)
    for begin, end in base.ends():
        section = base.lines[begin:end]
        yield f"the section of line {begin + 1} twice, with one mid", base.text([*base.lines[:end], *section, *base.lines[end:]])
        yield f"`i=` twice after line {begin + 1}", base.replaced(begin, base.lines[begin], "i=one", "i=two")


def orders(base: Base) -> Iterator[tuple[str, bytes]]:
    """RFC 8866, section 5: lines 'MUST appear in exactly the order given here'."""
    lines = base.lines
    for first, second in ((0, 1), (1, 2), (0, 2), (2, 3), (3, 4)):
        swapped = list(lines)
        swapped[first], swapped[second] = swapped[second], swapped[first]
        yield f"{lines[first][:40]!r} and {lines[second][:40]!r} swapped", base.text(swapped)
    media = base.media[0]
    yield "`t=` after the last section", base.text([*lines[:3], *lines[4:], lines[3]])
    yield "`t=` after the first `m=`", base.text([*lines[:3], *lines[4 : media + 1], lines[3], *lines[media + 1 :]])
    yield "the first `m=` first", base.text([lines[media], *lines[:media], *lines[media + 1 :]])
    yield "sections before the session", base.text([*lines[media:], *lines[:media]])
    yield "all backwards", base.text(reversed(lines))
    yield "sorted", base.text(sorted(lines))
    for number in base.where("c="):
        later = [*lines[:number], *lines[number + 1 : number + 3], lines[number], *lines[number + 3 :]]
        yield f"line {number + 1} {lines[number]!r} after attributes", base.text(later)
    for line in ("v=0", "o=- 1 2 IN IP4 127.0.0.1", "s=-", "t=0 0", "u=http://a/", "e=a@b.c", "p=+1", "r=1 1 0", "z=0 0"):
        yield f"{line!r} in the first section", base.replaced(media, lines[media], line)


def shapes(base: Base, random_: random.Random) -> Iterator[tuple[str, bytes]]:
    """Lines that are none."""
    strange = ["", " ", "x", "=", "a", "a=", "a:mid:0", "mid:0", "m", " a=mid:0", "\ta=x", "A=mid:0", "1=x", "q=x", "a =x", "a= x", "a=:x", "a=@:x", "a=b c:x", "#", "-----", "{}", "b=AS", "b=AS:x", "b=AS:-5", "b=:5"]
    for line in strange:
        number = random_.randrange(base.media[0] + 1, len(base.lines))
        yield f"a line {line!r} before line {number + 1}", base.replaced(number, line, base.lines[number])
    for _ in range(25):
        number = random_.randrange(len(base.lines))
        line = base.lines[number]
        at = random_.randrange(2, len(line))
        # What looks like a line by chance may be one.
        if line[at + 1 : at + 2] != "=":
            yield f"line {number + 1} broken: {line[:at]!r} | {line[at:at + 40]!r}", base.replaced(number, line[:at], line[at:])


CONTROLS = [*range(0x00, 0x09), 0x0B, 0x0C, 0x0D, *range(0x0E, 0x20), 0x7F]
NOT_UTF_8 = [b"\xff", b"\xc3\x28", b"\x80", b"\xed\xa0\x80", b"\xf8\x88\x80\x80\x80", b"\xc0\xaf", b"\xfe\xfe", b"\xe2\x82"]


def insertions(base: Base, what: str, inserted: list[bytes], count: int, random_: random.Random) -> Iterator[tuple[str, bytes]]:
    whole = base.sdp.encode()
    for turn in range(count):
        number = random_.randrange(len(base.lines))
        line = base.lines[number]
        # Within a line, so that a carriage return does not come to stand before its end.
        at = sum(len(it) + 2 for it in base.lines[:number]) + random_.randrange(1, len(line))
        it = inserted[turn % len(inserted)]
        yield f"{what} {it!r} in line {number + 1} {line[:40]!r}", whole[:at] + it + whole[at:]


def bodies(base: Base, random_: random.Random) -> Iterator[tuple[str, bytes]]:
    whole = base.sdp.encode()
    mib = 1 << 20
    yield "empty", b""
    yield "line ends", b"\r\n" * 10
    yield "blanks", b"    "
    yield "JSON", b'{"type":"offer","sdp":"v=0"}'
    yield "JSON around it", b'{"type":"offer","sdp":' + repr(base.sdp).replace("'", '"').encode() + b"}"
    yield "HTML", b"<!doctype html><title>x</title>\r\n"
    yield "HTML around it", b"<html><body><pre>\r\n" + whole + b"</pre></body></html>\r\n"
    yield "a form", b"sdp=v%3D0"
    yield "1 MiB of a", b"a" * mib
    yield "1 MiB of NUL", bytes(mib)
    yield "1 MiB of line ends", b"\r\n" * (mib // 2)
    yield "1 MiB of noise", random_.randbytes(mib)
    yield "1 MiB: it, and attributes", whole + b"a=x-more:1\r\n" * (mib // 12)
    yield "1 MiB: it, and one long line", whole + b"a=x-more:" + b"1" * mib + b"\r\n"
    yield "1 MiB: it again and again", whole * (mib // len(whole))
    yield "it twice", whole * 2
    yield "UTF-16", base.sdp.encode("utf-16")
    yield "UTF-8 with a mark", b"\xef\xbb\xbf" + whole
    yield "gzip", gzip.compress(whole, mtime=0)
    yield "noise", random_.randbytes(2000)
    yield "a line before it", b"hello\r\n" + whole
    yield "a line after it", whole + b"hello\r\n"
    yield "no line ends", whole.replace(b"\r\n", b"")
    yield "blanks for line ends", whole.replace(b"\r\n", b" ")
    yield "CR for line ends", whole.replace(b"\r\n", b"\r")
    yield "escaped line ends", whole.replace(b"\r\n", b"\\r\\n")
    yield "twice the line ends", whole.replace(b"\r\n", b"\r\n\r\n")
    head = base.text(base.lines[:4])
    for count in (100, 1_000, 3_000, 30_000):
        line = base.lines[base.media[-1]]
        yield f"{count} times {line!r}", head + f"{line}\r\n".encode() * count
        yield f"{count} times 'm='", head + b"m=\r\n" * count
    begin, end = base.ends()[-1]
    for count in (65, 200):
        sections = [re.sub("^a=mid:.*", f"a=mid:x{turn}", line) for turn in range(count) for line in base.lines[begin:end]]
        # Valid but for their number: a refusal is a limit.
        yield f"{count} whole sections", base.text([*base.lines[:4], *sections])
    yield "20,000 attributes", base.text([*base.lines[:5], *(f"a=x{n}:1" for n in range(20_000)), *base.lines[5:]])


CONTENT_TYPES = [
    None, "", "application/json", "text/plain", "text/html", "application/sdp2", "application/ sdp", "application/sdpx", "sdp", "*/*", "application/*",
    "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/trickle-ice-sdpfrag", "application/octet-stream", "text/sdp",
]


def mutations(bases: list[Base]) -> list[Mutation]:
    """The same ones each time."""
    random_ = random.Random(SEED)
    every: list[Mutation] = []
    cuts: list[Mutation] = []
    for base in bases:
        for family, cases in [
            ("value", values(base)), ("m= line", media_lines(base)), ("removed", removals(base)), ("duplicate", duplicates(base)),
            ("order", orders(base)), ("shape", shapes(base, random_)), ("body", bodies(base, random_)),
            ("control character", insertions(base, "control character", [bytes([it]) for it in CONTROLS], 64, random_)),
            ("not UTF-8", insertions(base, "bytes", NOT_UTF_8, 16, random_)),
            ("cut off at a line", truncations_at_lines(base)), ("cut off, mended", truncations_mended(base)),
        ]:  # fmt: skip
            every += fold(base, family, cases)
        every += [Mutation("content type", base.name, repr(it), base.sdp.encode(), it) for it in CONTENT_TYPES]
        cuts += fold(base, "cut off", truncations(base))
    every += random_.sample(cuts, CUTS)
    valid = {base.sdp.encode() for base in bases}
    seen: set[tuple[bytes, str | None]] = set()
    return [
        it
        for it in every
        if not (it.content_type == SDP and it.body in valid)
        and not ((it.body, it.content_type) in seen or seen.add((it.body, it.content_type)))  # type: ignore[func-returns-value]
    ]


def around(mutation: Mutation, bases: dict[str, Base]) -> str:
    """The text around what differs."""
    valid = bases[mutation.base].sdp.encode()
    at = next((n for n, (a, b) in enumerate(zip(mutation.body, valid)) if a != b), min(len(mutation.body), len(valid)))
    return repr(mutation.body[max(0, at - 60) : at + 90])


slowest: dict[str, float] = defaultdict(float)


def judge(server: Server, mutation: Mutation) -> str | None:
    """What is wrong with the answer, or None."""
    headers = {} if mutation.content_type is None else {"Content-Type": mutation.content_type}
    try:
        reply = server.request("POST", "/whip/mutation", mutation.body, headers, timeout=15)
    except OSError as error:
        return f"no answer: {error!r}"
    if reply.status == 201:
        server.request("DELETE", reply.headers["location"])
        return "201"
    if why := reply.why_no_problem():
        return why
    slowest[server.runtime] = max(slowest[server.runtime], reply.seconds)
    return f"{reply.seconds:.2f} s" if reply.seconds > LIMIT_SECONDS else None


def check(server: Server, checks: Checks, mutated: list[Mutation], bases: dict[str, Base]) -> None:
    found: dict[str, list[str]] = defaultdict(list)
    counts: dict[str, int] = defaultdict(int)
    for mutation in mutated:
        counts[mutation.family] += 1
        if wrong := judge(server, mutation):
            found[mutation.family].append(f"{mutation}: {wrong}\n        {around(mutation, bases)}")
    for family, count in counts.items():
        wrong = found[family]
        details = "".join(f"\n      - {it}" for it in wrong)
        name = f"{server.runtime}: {family}: {count} offers are refused"
        checks.check(name, not wrong, "a 4xx problem within 1 s for each", f"{len(wrong)} others:{details}" if wrong else "")


def check_valid(server: Server, checks: Checks, offers: dict[str, str]) -> None:
    for name, sdp in offers.items():
        reply = server.request("POST", "/whip/valid", sdp, {"Content-Type": SDP})
        checks.check(f"{server.runtime}: the valid offer {name!r} is answered", reply.status == 201, "201", reply if reply.status != 201 else 201)
        if reply.status == 201:
            server.request("DELETE", reply.headers["location"])


async def main(options: argparse.Namespace, checks: Checks) -> None:
    aioice.ice.get_host_addresses = lambda use_ipv4, use_ipv6: ["127.0.0.1"]
    offers = await real_offers()
    valid = offers | {f"{name}, max-bundle": max_bundle(offers[name]) for name in ("video+data", "chromium")}
    bases = {name: Base(name, sdp) for name, sdp in offers.items()}
    mutated = mutations(list(bases.values()))
    checks.check("mutations", len(mutated) >= AT_LEAST, f"{AT_LEAST} or more", len(mutated))
    for runtime in options.runtimes:
        with Server(options.binary, runtime) as server:
            check_valid(server, checks, valid)
            await asyncio.to_thread(check, server, checks, mutated, bases)
            checks.check(f"{runtime}: the slowest refusal", slowest[runtime] <= LIMIT_SECONDS, "at most 1 s", f"{1e3 * slowest[runtime]:.0f} ms")
            checks.equal(f"{runtime}: live connections at the end", server.live(), 0)
            checks.equal(f"{runtime}: and in the list", server.get("/webrtc/monitor/connections")["total"], 0)
            check_valid(server, checks, {"chromium, once more": CHROMIUM})
            checks.equal(f"{runtime}: unreleased connections", server.summary()["unreleased_connections"], 0)
            server.end_checked(checks)


if __name__ == "__main__":
    sys.exit(run(main, arguments(__doc__, lambda parser: parser.add_argument("--runtimes", nargs="+", default=["smol", "tokio"]))))
