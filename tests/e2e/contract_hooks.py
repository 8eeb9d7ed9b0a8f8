"""Loaded by schemathesis, which does not know SDP's media types: they are text."""

import schemathesis


for media_type in ("application/sdp", "application/trickle-ice-sdpfrag"):
    schemathesis.serializer.alias(media_type, "text/plain")
