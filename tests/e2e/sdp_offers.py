"""Offers that are valid: aiortc's own, and one as Chromium makes it."""

from __future__ import annotations

import re

from aiortc import RTCConfiguration, RTCPeerConnection
from aiortc.mediastreams import AudioStreamTrack, VideoStreamTrack

TRANSPORT = """\
a=rtcp:9 IN IP4 0.0.0.0
a=candidate:2819454718 1 udp 2122260223 127.0.0.1 56143 typ host generation 0 network-id 1 network-cost 50
a=candidate:1845501675 1 tcp 1518280447 127.0.0.1 9 typ host tcptype active generation 0 network-id 1 network-cost 50
a=ice-ufrag:Hq3v
a=ice-pwd:9p2Jt6nCwK1rZfYb8xLdQe0u
a=ice-options:trickle
a=fingerprint:sha-256 3A:96:6D:57:B2:C2:C7:61:A0:46:3E:1C:97:39:D3:F7:0A:88:A0:B1:EC:03:FB:10:A5:5D:3A:37:AB:DD:02:AA
a=setup:actpass
"""

CHROMIUM = (
    """\
v=0
o=- 4611731400430051336 2 IN IP4 127.0.0.1
s=-
t=0 0
a=group:BUNDLE 0 1 2
a=extmap-allow-mixed
a=msid-semantic: WMS 7f9a3c1e-5d2b-4a6f-8c0e-1b2d3f4a5c6d
m=audio 56143 UDP/TLS/RTP/SAVPF 111 63 9 0 8 13 110 126
c=IN IP4 127.0.0.1
"""
    + TRANSPORT
    + """\
a=mid:0
a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level
a=extmap:2 http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time
a=extmap:3 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01
a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid
a=sendrecv
a=msid:7f9a3c1e-5d2b-4a6f-8c0e-1b2d3f4a5c6d 0c1d2e3f-4a5b-6c7d-8e9f-a0b1c2d3e4f5
a=rtcp-mux
a=rtcp-rsize
a=rtpmap:111 opus/48000/2
a=rtcp-fb:111 transport-cc
a=fmtp:111 minptime=10;useinbandfec=1
a=rtpmap:63 red/48000/2
a=fmtp:63 111/111
a=rtpmap:9 G722/8000
a=rtpmap:0 PCMU/8000
a=rtpmap:8 PCMA/8000
a=rtpmap:13 CN/8000
a=rtpmap:110 telephone-event/48000
a=rtpmap:126 telephone-event/8000
a=ssrc:2718281828 cname:4TOk42mSjXCkVIa6
a=ssrc:2718281828 msid:7f9a3c1e-5d2b-4a6f-8c0e-1b2d3f4a5c6d 0c1d2e3f-4a5b-6c7d-8e9f-a0b1c2d3e4f5
m=video 9 UDP/TLS/RTP/SAVPF 96 97 103 104 45 46
c=IN IP4 0.0.0.0
"""
    + TRANSPORT
    + """\
a=mid:1
a=extmap:14 urn:ietf:params:rtp-hdrext:toffset
a=extmap:2 http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time
a=extmap:13 urn:3gpp:video-orientation
a=extmap:3 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01
a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid
a=sendrecv
a=msid:7f9a3c1e-5d2b-4a6f-8c0e-1b2d3f4a5c6d 5f4e3d2c-1b0a-9f8e-7d6c-5b4a39281706
a=rtcp-mux
a=rtcp-rsize
a=rtpmap:96 VP8/90000
a=rtcp-fb:96 goog-remb
a=rtcp-fb:96 transport-cc
a=rtcp-fb:96 ccm fir
a=rtcp-fb:96 nack
a=rtcp-fb:96 nack pli
a=rtpmap:97 rtx/90000
a=fmtp:97 apt=96
a=rtpmap:103 H264/90000
a=rtcp-fb:103 goog-remb
a=rtcp-fb:103 transport-cc
a=rtcp-fb:103 ccm fir
a=rtcp-fb:103 nack
a=rtcp-fb:103 nack pli
a=fmtp:103 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42001f
a=rtpmap:104 rtx/90000
a=fmtp:104 apt=103
a=rtpmap:45 AV1/90000
a=rtcp-fb:45 goog-remb
a=rtcp-fb:45 transport-cc
a=rtcp-fb:45 ccm fir
a=rtcp-fb:45 nack
a=rtcp-fb:45 nack pli
a=fmtp:45 level-idx=5;profile=0;tier=0
a=rtpmap:46 rtx/90000
a=fmtp:46 apt=45
a=ssrc-group:FID 3141592653 1414213562
a=ssrc:3141592653 cname:4TOk42mSjXCkVIa6
a=ssrc:3141592653 msid:7f9a3c1e-5d2b-4a6f-8c0e-1b2d3f4a5c6d 5f4e3d2c-1b0a-9f8e-7d6c-5b4a39281706
a=ssrc:1414213562 cname:4TOk42mSjXCkVIa6
a=ssrc:1414213562 msid:7f9a3c1e-5d2b-4a6f-8c0e-1b2d3f4a5c6d 5f4e3d2c-1b0a-9f8e-7d6c-5b4a39281706
m=application 9 UDP/DTLS/SCTP webrtc-datachannel
c=IN IP4 0.0.0.0
"""
    + TRANSPORT
    + """\
a=mid:2
a=sctp-port:5000
a=max-message-size:262144
"""
).replace("\n", "\r\n")


def max_bundle(sdp: str) -> str:
    """As RFC 8829, section 5.2.1, has it for `max-bundle`: all sections but the first are bundle-only,
    with port 0 and nothing of a transport of their own."""
    head, *sections = re.split(r"(?m)^(?=m=)", sdp)
    own = re.compile(r"(?m)^a=(rtcp:|rtcp-mux|rtcp-rsize|candidate|end-of-candidates|ice-|fingerprint|setup).*\r\n")
    bundled = [own.sub("", re.sub(r"^(m=\w+) \d+", r"\1 0", it)) + "a=bundle-only\r\n" for it in sections[1:]]
    return "".join([head, sections[0], *bundled])


def _frozen(sdp: str) -> str:
    """Without what aiortc makes anew each time, so that the mutations are the same each time."""
    sdp = re.sub(r"(?m)^o=- \d+ \d+", "o=- 4004617271 4004617271", sdp)
    sdp = re.sub(r"(?m)^(m=\w+) \d+", r"\1 50000", sdp)
    sdp = re.sub(r"(?m)^(a=candidate:\S+ 1 udp \d+ \S+) \d+", r"\1 50000", sdp)
    sources: dict[str, str] = {}
    for source in re.findall(r"(?m)^a=ssrc:(\d+)", sdp):
        sources.setdefault(source, str(1000000000 + len(sources)))
    for source, frozen in sources.items():
        sdp = re.sub(rf"\b{source}\b", frozen, sdp)
    sdp = re.sub(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "0a1b2c3d-4e5f-4607-8819-2a3b4c5d6e7f", sdp)
    sdp = re.sub(r"(?m)^a=ice-ufrag:\w+", "a=ice-ufrag:86DL", sdp)
    sdp = re.sub(r"(?m)^a=ice-pwd:\w+", "a=ice-pwd:WlGBBP65gkOlTwoOa9RjCd", sdp)
    sdp = re.sub(r"(?<=candidate:)\w+", "0123456789abcdef" * 2, sdp)
    return re.sub(r"(?m)^(a=fingerprint:\S+) (\S+)", lambda it: f"{it[1]} {re.sub('[0-9A-F]{2}', '5A', it[2])}", sdp)


async def aiortc_offer(*, video: bool = False, audio: bool = False, data: bool = False) -> str:
    pc = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    try:
        if data:
            pc.createDataChannel("echo")
        if audio:
            pc.addTrack(AudioStreamTrack())
        if video:
            pc.addTrack(VideoStreamTrack())
        await pc.setLocalDescription(await pc.createOffer())
        return _frozen(pc.localDescription.sdp)
    finally:
        await pc.close()


async def real_offers() -> dict[str, str]:
    return {
        "video+data": await aiortc_offer(video=True, data=True),
        "audio": await aiortc_offer(audio=True),
        "data": await aiortc_offer(data=True),
        "chromium": CHROMIUM,
    }
