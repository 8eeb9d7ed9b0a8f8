//! webrtc-internals' JSON.
