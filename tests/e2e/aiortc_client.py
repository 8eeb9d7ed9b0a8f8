"""An aiortc peer against a server on smol and on tokio: WHIP, echo, media, monitoring, closing."""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from typing import Any
from urllib.parse import quote

from aiortc.mediastreams import AudioStreamTrack, VideoStreamTrack

from harness import Checks, Server, Session, arguments, run, until, within

MESSAGES = 10_000
#: So many messages are under way at once: both sides' buffers stay small.
WINDOW = 256


async def echo_in_order(session: Session, count: int) -> str | None:
    """What is wrong with what comes back, or None."""
    assert session.channel
    room, done = asyncio.Semaphore(WINDOW), asyncio.Event()
    wrong: list[str] = []
    next_back = 0

    def on_message(text: Any) -> None:
        nonlocal next_back
        expected = f"message {next_back}"
        if text != expected and not wrong:
            wrong.append(f"{text!r} in place of {expected!r}")
        next_back += 1
        room.release()
        if next_back == count:
            done.set()

    session.channel.on("message", on_message)

    async def send() -> None:
        for number in range(count):
            await room.acquire()
            session.channel.send(f"message {number}")
        await done.wait()

    try:
        await within(f"{count} messages to come back", send(), 120)
    except AssertionError as error:
        return f"{error}; {next_back} came"
    finally:
        session.channel.remove_listener("message", on_message)
    return wrong[0] if wrong else None


def stats(server: Server, peer: str) -> dict[str, Any]:
    return server.get(f"/webrtc/monitor/connections/{peer}/stats")


def received_media(server: Server, peer: str) -> int:
    """Packets of media: what a whole transport received would count data, too."""
    objects = stats(server, peer)["stats"].values()
    return sum(it.get("packetsReceived", 0) for it in objects if it["type"] == "inbound-rtp")


async def connected_id(server: Server, group: str) -> str:
    query = f"?group={quote(group)}&state=connected"
    found = await until(f"a connected connection of {group}", lambda: server.connections(query))
    (peer,) = found
    return str(peer)


async def video_and_data(server: Server, checks: Checks) -> None:
    name, group = server.runtime, "studio 1 <ü>"
    session = await Session(server, group, media=[VideoStreamTrack(), AudioStreamTrack()]).open()
    checks.check(f"{name}: video, audio and data connect", True, got=session.pc.connectionState)
    peer = await connected_id(server, group)
    listed = server.connections()[peer]
    checks.equal(f"{name}: the monitor lists it with its group", listed.get("group"), group)

    started = time.monotonic()
    wrong = await echo_in_order(session, MESSAGES)
    took = time.monotonic() - started
    checks.check(f"{name}: {MESSAGES} messages come back in order", not wrong, "all of them", wrong or f"{took:.1f} s")

    current = await until("packets to be counted", lambda: (stats(server, peer)["current"] or {}).get("packets_received"))
    more = await until("more packets", lambda: (n := stats(server, peer)["current"]["packets_received"]) > current and n)
    checks.check(f"{name}: packets_received grows", more > current, "more", f"{current} -> {more}")
    media = await until("media in the statistics", lambda: received_media(server, peer))
    more = await until("more media", lambda: (n := received_media(server, peer)) > media and n)
    checks.check(f"{name}: inbound-rtp packetsReceived grows", more > media, "more", f"{media} -> {more}")
    details = server.connections()[peer]["track_details"]
    kinds = sorted(track.get("kind") or "none" for track in details)
    checks.equal(f"{name}: both tracks are listed with their kinds", kinds, ["audio", "video"])

    reply = await asyncio.to_thread(server.request, "POST", f"/webrtc/connections/{peer}/close")
    outcome = reply.json() if reply.status == 200 else {}
    checks.check(f"{name}: POST close closes it", outcome.get("success") is True, "200 and success", outcome.get("outcome", reply))
    started = time.monotonic()
    await within("aiortc to notice the close", session.ended.wait())
    checks.check(f"{name}: aiortc notices", True, got=f"{session.pc.connectionState} after {1e3 * (time.monotonic() - started):.0f} ms")
    row = closed_row(server, peer)
    checks.equal(f"{name}: /closed has its reason", row.get("close_reason"), "requested")
    checks.equal(f"{name}: a closed one has no data channels left", row.get("data_channels"), 0)
    checks.equal(f"{name}: DELETE of it is answered with", (await session.delete()).status, 404)
    await session.close()


def closed_row(server: Server, peer: str) -> dict[str, Any]:
    rows = server.get("/webrtc/monitor/closed?view=row")["connections"]
    return next((row for row in rows if row["connection_id"] == peer), {})


async def data_only_and_delete(server: Server, checks: Checks) -> None:
    name = server.runtime
    session = await Session(server, "data").open()
    peer = await connected_id(server, "data")
    await session.echo("hello")
    checks.check(f"{name}: an offer of data only connects and echoes", True)
    reply = await session.delete()
    checks.equal(f"{name}: DELETE is answered with", reply.status, 200)
    await within("aiortc to notice the DELETE", session.ended.wait())
    checks.equal(f"{name}: after DELETE /closed has", closed_row(server, peer).get("close_reason"), "requested")
    checks.equal(f"{name}: a second DELETE is answered with", (await session.delete()).status, 404)
    await session.close()


async def client_leaves(server: Server, checks: Checks) -> None:
    name = server.runtime
    session = await Session(server, "leaves").open()
    peer = await connected_id(server, "leaves")
    await session.close()
    started = time.monotonic()
    row = await until("the server to notice that aiortc closed", lambda: closed_row(server, peer))
    took = f"{row.get('close_reason')} after {time.monotonic() - started:.1f} s"
    checks.check(f"{name}: the server notices that aiortc closed", row.get("close_reason") != "requested", "a remote end", took)


async def trickle(server: Server, checks: Checks) -> None:
    name = server.runtime
    session = Session(server, "trickle")
    whole = await session.offer()
    lines = whole.splitlines()
    candidates = [line for line in lines if line.startswith("a=candidate:")]
    bare = [line for line in lines if not line.startswith(("a=candidate:", "a=end-of-candidates"))]
    reply = await session.post("\r\n".join(bare) + "\r\n")
    credentials = [next(line for line in lines if line.startswith(f"a=ice-{it}:")) for it in ("ufrag", "pwd")]
    media = next(line for line in lines if line.startswith("m="))
    fragment = "\r\n".join([*credentials, media, "a=mid:0", *candidates, "a=end-of-candidates"]) + "\r\n"
    if reply.status == 201:
        patched = await patch(server, reply, fragment, reply.headers["etag"])
        checks.equal(f"{name}: PATCH with {len(candidates)} candidates is answered with", patched.status, 204)
        stale = await patch(server, reply, fragment, '"another"')
        checks.check(f"{name}: PATCH with another ETag is refused", not (why := stale.why_no_problem([412])), "412", why or "412")
        bare_patch = await patch(server, reply, fragment, None)
        checks.check(f"{name}: PATCH without If-Match is refused", not (why := bare_patch.why_no_problem([428])), "428", why or "428")
    await session.accept(reply)
    await within("the trickled session to connect", session.connected.wait())
    await within("its channel to open", session.channel_open.wait())
    await session.echo("trickled")
    checks.check(f"{name}: the trickled session connects and echoes", True)
    checks.equal(f"{name}: DELETE of it is answered with", (await session.delete()).status, 200)
    await session.close()


async def patch(server: Server, opened: Any, fragment: str, etag: str | None) -> Any:
    headers = {"Content-Type": "application/trickle-ice-sdpfrag"} | ({"If-Match": etag} if etag else {})
    return await asyncio.to_thread(server.request, "PATCH", opened.headers["location"], fragment, headers)


async def main(options: argparse.Namespace, checks: Checks) -> None:
    for runtime in ("smol", "tokio"):
        with Server(options.binary, runtime) as server:
            await video_and_data(server, checks)
            await data_only_and_delete(server, checks)
            await client_leaves(server, checks)
            await trickle(server, checks)
            summary = server.summary()
            states = summary["connection_states"]
            checks.equal(f"{runtime}: nothing is live at the end", states["total"] - states["closed"], 0)
            rest = {key: summary[key] for key in ("pending_tasks", "unreleased_connections", "open_data_channels", "orphaned_tasks")}
            checks.check(f"{runtime}: and nothing is left of it", not any(rest.values()), "zeros", rest)
            server.end_checked(checks)


if __name__ == "__main__":
    sys.exit(run(main, arguments(__doc__)))
