"""What a hostile HTTP client can send, with and without a token: refused, no 5xx, nothing left behind."""

from __future__ import annotations

import argparse
import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from harness import Checks, Reply, Server, arguments, wait_until
from sdp_offers import CHROMIUM

TOKEN = "s3cret-of-e2e"
SDP = {"Content-Type": "application/sdp"}
EVIL_MARK = "<script>alert(1)</script>"


def connect(server: Server, timeout: float = 15) -> socket.socket:
    return socket.create_connection((server.host, server.port), timeout)


def read_all(link: socket.socket) -> bytes:
    """Until the server ends the connection, or says nothing more."""
    data = b""
    try:
        while chunk := link.recv(65536):
            data += chunk
    except (TimeoutError, ConnectionResetError):
        pass
    return data


def read_reply(link: socket.socket) -> Reply | None:
    """One reply; None where the connection ended without one."""
    data = b""
    while b"\r\n\r\n" not in data:
        try:
            chunk = link.recv(65536)
        except (TimeoutError, ConnectionResetError):
            chunk = b""
        if not chunk:
            return None
        data += chunk
    head, body = data.split(b"\r\n\r\n", 1)
    lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
    length = int(headers.get("content-length", 0))
    while len(body) < length and (chunk := link.recv(65536)):
        body += chunk
    return Reply(int(lines[0].split(" ")[1]), headers, body)


def raw(server: Server, text: bytes, timeout: float = 5) -> Reply | None:
    with connect(server, timeout) as link:
        try:
            link.sendall(text)
        except OSError:
            pass  # The server may have answered and ended the connection before it has read all.
        return read_reply(link)


def head(server: Server, line: str = "GET /webrtc/monitor/summary HTTP/1.1", *headers: str, host: bool = True) -> bytes:
    own = [f"Host: {server.host}:{server.port}"] if host else []
    token = [f"Authorization: Bearer {server.token}"] if server.token else []
    return "\r\n".join([line, *own, *token, "Connection: close", *headers, "", ""]).encode("latin-1")


def status(reply: Reply | None) -> int | str:
    return reply.status if reply else "no answer"


def is_refusal(reply: Reply | None) -> bool:
    return reply is not None and 400 <= reply.status < 500


class Hostile:
    def __init__(self, server: Server, checks: Checks) -> None:
        self.server, self.checks = server, checks
        self.name = f"{server.runtime}, {'token' if server.token else 'no token'}"

    def equal(self, what: str, got: object, expected: object) -> None:
        self.checks.equal(f"{self.name}: {what}", got, expected)

    def check(self, what: str, ok: object, expected: str, got: object = "") -> None:
        self.checks.check(f"{self.name}: {what}", ok, expected, got)

    def problem(self, what: str, reply: Reply | None, *statuses: int) -> None:
        why = reply.why_no_problem(statuses) if reply else "no answer"
        self.check(what, not why, f"a problem of status {statuses}", why or status(reply))

    def hosts_and_origins(self) -> None:
        server = self.server
        line = "GET /webrtc/monitor/summary HTTP/1.1"
        for host in ("evil.example", f"evil.example:{server.port}", "127.0.0.1.evil.example", "127.0.0.2", "localhost.", "[::2]"):
            self.problem(f"Host {host}", raw(server, head(server, line, f"Host: {host}", host=False)), 421)
        for host in ("localhost", "LOCALHOST:1", "[::1]", f"127.0.0.1:{server.port}"):
            self.equal(f"Host {host}", status(raw(server, head(server, line, f"Host: {host}", host=False))), 200)
        self.problem("no Host", raw(server, head(server, line, host=False)), 400)
        two = raw(server, head(server, line, "Host: evil.example"))
        self.check("two Hosts", is_refusal(two), "4xx", status(two))
        for host in ("", " ", "a b", "127.0.0.1:port", "user@127.0.0.1", "127.0.0.1, evil.example", "\x80"):
            reply = raw(server, head(server, line, f"Host: {host}", host=False))
            self.check(f"Host {host!r}", is_refusal(reply), "4xx", status(reply))
        absolute = raw(server, head(server, "GET http://evil.example/webrtc/monitor/summary HTTP/1.1"))
        self.problem("an absolute target of another host", absolute, 421)
        own = f"http://{server.host}:{server.port}"
        for origin in ("http://evil.example", "null", "", f"{own}.evil.example", f"http://{server.host}", f"http://{server.host}:1", "x", "file://"):
            self.problem(f"Origin {origin!r}", raw(server, head(server, line, f"Origin: {origin}")), 403)
        self.equal("its own Origin", status(raw(server, head(server, line, f"Origin: {own}"))), 200)
        crossed = raw(server, head(server, "POST /webrtc/connections/close-all HTTP/1.1", "Origin: http://evil.example", "Content-Length: 0"))
        self.problem("close-all of another origin", crossed, 403)
        twice = raw(server, head(server, line, f"Origin: {own}", "Origin: http://evil.example"))
        self.check("its own Origin and another", is_refusal(twice), "4xx", status(twice))

    def tokens(self) -> None:
        server = self.server
        if not server.token:
            return
        wrong = ["", "Bearer", "Bearer ", "Bearer wrong", f"Basic {TOKEN}", f"Bearer {TOKEN}x", f"Bearer {TOKEN[:-1]}", TOKEN, f"Bearer  {TOKEN}", f"Bearer {TOKEN.upper()}", "Bearer " + "x" * 8000]
        for value in wrong:
            reply = server.request("GET", "/webrtc/monitor/summary", headers={"Authorization": value})
            self.problem(f"Authorization {value[:30]!r}", reply, 401)
            self.check(f"and how to ask, for {value[:30]!r}", reply.headers.get("www-authenticate", "").startswith("Bearer"), "WWW-Authenticate: Bearer ..", reply.headers.get("www-authenticate"))
        for method, path in [("POST", "/webrtc/connections/close-all"), ("POST", "/whip/x"), ("GET", "/webrtc/monitor/events"), ("GET", "/webrtc/monitor/dump"), ("GET", "/metrics"), ("POST", "/webrtc/test/close_all"), ("DELETE", "/whip/x/y"), ("PATCH", "/whip/x/y"), ("POST", "/webrtc/stream/stop/x")]:
            reply = server.request(method, path, headers={"Authorization": "Bearer wrong"})
            self.problem(f"{method} {path} with a wrong token", reply, 401)
        for value in (f"Bearer {TOKEN}", f"bearer {TOKEN}", f"BEARER {TOKEN}"):
            self.equal(f"Authorization {value!r}", server.request("GET", "/webrtc/monitor/summary", headers={"Authorization": value}).status, 200)
        for path in ("/health", "/openapi.json", "/"):
            self.equal(f"{path} without a token", server.request("GET", path, headers={"Authorization": ""}).status, 200)
        asked = raw(server, f"GET /webrtc/monitor/summary?token={TOKEN}&access_token={TOKEN} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        self.problem("a token in the query is none", asked, 401)

    def paths(self) -> None:
        server = self.server
        before = server.summary()["connection_states"]
        tricks = ["..", "../..", "%2e%2e", "%2e%2e%2f", "..%2f..%2fetc%2fpasswd", "%252e%252e%252f", "%00", "a%00b", "%0d%0aX:1", "%ff", "%c3%28", "%ed%a0%80", "%", "%zz", "%2", "x" * 4096, "%41" * 2000, "x" * 30000, "..%5c..%5c", "~", "con", "%e2%80%ae", ";a=b", "*", "'%22%3Cx%3E"]
        routes: list[tuple[str, str, bytes | None]] = [
            ("GET", "/webrtc/monitor/connections/{}", None), ("GET", "/webrtc/monitor/connections/{}/stats", None), ("GET", "/webrtc/monitor/connections/{}/diagnosis", None),
            ("GET", "/webrtc/monitor/operations/{}", None), ("GET", "/webrtc/monitor/dump?connection={}", None), ("POST", "/webrtc/connections/{}/close", None), ("DELETE", "/webrtc/connections/{}", None), ("DELETE", "/webrtc/connections?id={}", None), ("GET", "/webrtc/monitor/closed/{}", None),
            ("POST", "/webrtc/stream/stop/{}", None), ("POST", "/webrtc/test/close/{}", None), ("DELETE", "/whip/x/{}", None), ("DELETE", "/whip/{}/x", None), ("POST", "/whip/{}/../../x", None),
        ]  # fmt: skip
        for method, route, body in routes:
            got = {trick[:24]: status(raw(server, head(server, f"{method} {route.format(trick)} HTTP/1.1", "Content-Length: 0"))) for trick in tricks}
            bad = {trick: it for trick, it in got.items() if not (isinstance(it, int) and 400 <= it < 500)}
            self.check(f"{len(tricks)} tricks in {method} {route}", not bad, "4xx for each", bad or "")
        for trick in ("%00", "%ff", "a%0ab", "%7f", "x" * 257, "%c2%85"):
            reply = server.request("POST", f"/whip/{trick}", CHROMIUM, SDP)
            self.problem(f"a session of stream {trick[:10]!r}", reply, 400, 404)
        for path in ("/" + "a/" * 20000, "/" + "x" * 60000, "/" + "x" * 200000, "//webrtc/monitor/summary", "/./webrtc", "/webrtc/../health", "/webrtc/monitor/summary/", "/WEBRTC/monitor/summary", "/webrtc/monitor/summary%2f", "/metrics%00", "/.git/config", "/logs/"):
            reply = raw(server, head(server, f"GET {path} HTTP/1.1"))
            self.check(f"the path {path[:30]!r} of {len(path)} bytes", is_refusal(reply), "4xx", status(reply))
        after = server.summary()["connection_states"]
        self.equal("after all that the connections are", after, before)
        names = sorted(str(it.relative_to(self.server.folder)) for it in (self.server.folder / "logs").rglob("*"))
        strange = [it for it in names if not re.fullmatch(r"logs(/[A-Za-z0-9_-]+)*/[A-Za-z0-9._-]+", it) or ".." in it]
        self.check("names in the log folder", names and not strange, "only plain ones", strange or names)
        others = sorted(it.name for it in self.server.folder.iterdir() if it.name not in ("logs", "stderr"))
        self.equal("files beside it", others, [])

    def markup(self) -> None:
        server = self.server
        reply = server.request("POST", "/whip/%3Cscript%3Ealert(1)%3C%2Fscript%3E", CHROMIUM, SDP)
        self.equal("a session of a stream with markup in its name", reply.status, 201)
        location = reply.headers.get("location", "")
        self.check("its Location is escaped", re.fullmatch(r"[A-Za-z0-9/._~%-]+", location), "no markup", location)
        for path in ("/webrtc/monitor/connections", "/webrtc/monitor/connections?group=%3Cscript%3Ealert(1)%3C%2Fscript%3E", "/webrtc/monitor/dump", "/webrtc/monitor/nothing/%3Cscript%3E", "/webrtc/monitor/connections/%3Cscript%3E"):
            shown = server.request("GET", path)
            kind = shown.headers.get("content-type", "")
            is_data = kind.split(";")[0] in ("application/json", "application/problem+json") and shown.headers.get("x-content-type-options") == "nosniff"
            self.check(f"{path[:40]} is data", is_data, "JSON and nosniff", f"{shown.status} {kind} {shown.headers.get('x-content-type-options')}")
        groups = [it.get("group") for it in server.connections().values()]
        self.equal("the group is carried as it is", groups, [EVIL_MARK])
        metrics = server.request("GET", "/metrics")
        self.check("metrics have no name of a stream", b"<script>" not in metrics.body, "none")
        self.equal("DELETE of it", server.request("DELETE", location).status, 200)

    def heads(self) -> None:
        server = self.server
        # hyper takes somewhat more than its buffer of 64 KiB where it comes at once.
        for count, size in ((1, 140_000), (1, 1_000_000), (60, 5_000)):
            reply = raw(server, head(server, "GET /health HTTP/1.1", *(f"X-{n}: {'x' * size}" for n in range(count))))
            self.check(f"{count} headers of {size} bytes", is_refusal(reply), "4xx", status(reply))
        reply = raw(server, head(server, "GET /health HTTP/1.1", *(f"X-{n}: x" for n in range(100))))
        self.check("100 headers", is_refusal(reply), "4xx", status(reply))
        garbage = [b"\r\n\r\n", b"\0\0\0\0\r\n\r\n", b"GET\r\n\r\n", b"GET / HTTP/9.9\r\nHost: localhost\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"SSH-2.0-x\r\n\r\n", b"GET / HTTP/1.1\nHost localhost\n\n", b"GET /\x01 HTTP/1.1\r\nHost: localhost\r\n\r\n", b" GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", b"GET / HTTP/1.1\r\nHost: localhost\r\nX Y: z\r\n\r\n", b"GET / HTTP/1.1\r\nHost: localhost\r\n folded: x\r\n\r\n", b"G" * 100_000, b"GET relative HTTP/1.1\r\nHost: localhost\r\n\r\n"]
        for text in garbage:
            reply = raw(server, text, timeout=13)
            self.check(f"the request line {text[:24]!r}", reply is None or is_refusal(reply), "4xx, or the connection ends", status(reply))
        smuggled = head(server, "POST /whip/x HTTP/1.1", "Content-Type: application/sdp", "Content-Length: 4", "Transfer-Encoding: chunked") + b"0\r\n\r\nGET /health HTTP/1.1\r\nHost: localhost\r\n\r\n"
        reply = raw(server, smuggled)
        self.check("Content-Length and Transfer-Encoding", is_refusal(reply), "4xx", status(reply))
        for value in ("-1", "x", "99999999999999999999999", "1, 2", "+5"):
            reply = raw(server, head(server, "POST /whip/x HTTP/1.1", "Content-Type: application/sdp", f"Content-Length: {value}"))
            self.check(f"Content-Length {value}", is_refusal(reply), "4xx", status(reply))
        reply = raw(server, head(server, "POST /whip/x HTTP/1.1", "Content-Type: application/sdp", "Transfer-Encoding: chunked") + b"zz\r\n")
        self.check("chunks that are none", reply is None or is_refusal(reply), "4xx, or the connection ends", status(reply))

    def versions(self) -> None:
        server = self.server
        old = raw(server, b"GET /health HTTP/1.0\r\nHost: localhost\r\n\r\n")
        self.equal("HTTP/1.0", status(old), 200)
        self.problem("HTTP/1.0 without Host", raw(server, b"GET /health HTTP/1.0\r\n\r\n"), 400)
        with connect(server, 5) as link:
            link.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n" * 50 + b"GET /nothing HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            answers = re.findall(rb"HTTP/1\.1 (\d+)", read_all(link))
        self.equal("51 requests at once", answers, [b"200"] * 50 + [b"404"])

    def methods(self) -> None:
        server = self.server
        for method in ("TRACE", "PUT", "DELETE", "PATCH", "POST", "BREW", "get", "X" * 200):
            reply = raw(server, head(server, f"{method} /webrtc/monitor/summary HTTP/1.1", "Content-Length: 0"))
            self.problem(f"{method[:10]} of the summary", reply, 405)
            self.check(f"{method[:10]} of it: Allow", reply and "GET" in reply.headers.get("allow", ""), "GET", reply and reply.headers.get("allow"))
        for target in ("/webrtc/monitor/summary", f"{server.host}:{server.port}", "evil.example:443"):
            reply = raw(server, head(server, f"CONNECT {target} HTTP/1.1"))
            self.check(f"CONNECT {target.replace(str(server.port), 'PORT')}", is_refusal(reply), "4xx", status(reply))
        reply = raw(server, head(server, "OPTIONS * HTTP/1.1"))
        self.check("OPTIONS *", reply and reply.status < 500, "below 500", status(reply))
        reply = raw(server, head(server, "GET /health HTTP/1.1", "Content-Length: 100000") + b"x" * 100000)
        self.equal("GET with a body", status(reply), 200)
        with connect(server, 5) as link:
            link.sendall(head(server, "HEAD /health HTTP/1.1"))
            data = read_all(link)
        self.check("HEAD", data.startswith(b"HTTP/1.1 200") and data.endswith(b"\r\n\r\n"), "200 without a body", data[:15])

    def slow(self) -> None:
        """Byte by byte, a head that never ends; and one that says nothing."""
        server = self.server
        silent = connect(server, 20)
        slow = connect(server, 20)
        started = time.monotonic()
        ended = 0.0
        slow.settimeout(0.25)
        text = b"GET /health HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * 1000
        for byte in text:
            try:
                slow.sendall(bytes([byte]))
                if slow.recv(4096) == b"":
                    ended = time.monotonic() - started
                    break
            except TimeoutError:
                pass
            except OSError:
                ended = time.monotonic() - started
                break
            if time.monotonic() - started > 20:
                break
        self.check("a slow head is ended", 0 < ended <= 12.5, "within 12 s", f"{ended:.1f} s" if ended else "never, in 20 s")
        read_all(silent)
        self.check("and one that says nothing", time.monotonic() - started <= 13, "within 12 s", f"{time.monotonic() - started:.1f} s")
        slow.close()
        silent.close()

    def slow_body(self) -> None:
        """A body that does not come."""
        with connect(self.server, 20) as link:
            started = time.monotonic()
            link.sendall(head(self.server, "POST /whip/x HTTP/1.1", "Content-Type: application/sdp", "Content-Length: 1000") + b"v=0\r\n")
            reply = read_reply(link)
            took = time.monotonic() - started
        why = reply.why_no_problem([408]) if reply else "no answer"
        self.check("a body that does not come", not why and took <= 12.5, "408 within 12 s", why or f"{status(reply)} after {took:.1f} s")

    def idle(self) -> None:
        """800 connections that say nothing: others are served meanwhile, and then they are ended."""
        links = [connect(self.server, 30) for _ in range(800)]
        started = time.monotonic()
        reply = self.server.request("GET", "/health")
        self.check("an answer beside 800 idle connections", reply.status == 200, "200", f"{1e3 * (time.monotonic() - started):.0f} ms")
        for link in links:
            read_all(link)
            link.close()
        took = time.monotonic() - started
        self.check("they are ended", took <= 14, "within 12 s", f"{took:.1f} s")

    def all(self) -> None:
        parts: list[Callable[[], None]] = [self.hosts_and_origins, self.tokens, self.paths, self.markup, self.heads, self.versions, self.methods, self.slow, self.slow_body, self.idle]
        for part in parts:
            part()
        self.check("the server is alive", self.server.alive() and self.server.request("GET", "/health").status == 200, "200")
        wait_until("nothing live", lambda: self.server.live() == 0)
        self.server.end_checked(self.checks)


def binds(binary: Path, checks: Checks) -> None:
    """An address that others can reach needs a token."""
    for host in ("0.0.0.0", "::"):
        ended = subprocess.run([binary.resolve(), "serve", "--host", host, "--port", "0", "--isolation"], capture_output=True, text=True, timeout=20)
        checks.equal(f"--host {host} without a token ends with status", ended.returncode, 2)
        said = ended.stderr.strip()
        checks.check(f"--host {host} without a token says why", "token" in said and "panick" not in said, "a message about the token", said)


def interrupted(binary: Path, checks: Checks) -> None:
    """A self-test that a signal ends has not passed."""
    with Server(binary, "smol", None, ("--run-tests", "--exit-after-tests")) as server:
        checks.equal("SIGTERM during the self-test ends the server with status", server.stop(), 1)


def main(options: argparse.Namespace) -> int:
    checks = Checks()
    binds(options.binary, checks)
    interrupted(options.binary, checks)
    for runtime, token in (("smol", None), ("tokio", TOKEN)):
        with Server(options.binary, runtime, token, ("--log-dir", "logs")) as server:
            try:
                Hostile(server, checks).all()
            except (AssertionError, OSError) as error:
                checks.check(f"{runtime}: the script goes on", False, "no surprise", repr(error))
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main(arguments(__doc__)))
