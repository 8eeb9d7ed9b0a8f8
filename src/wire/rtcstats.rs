//! RTCStatsDump.
