//! Models of anypeer for [loom](https://docs.rs/loom), which runs them under every order that
//! their threads can take.
//!
//! `RUSTFLAGS="--cfg anypeer_loom" cargo test --manifest-path loom/Cargo.toml`
//!
//! With that flag the library's mutexes and atomics are loom's, its background executor is a
//! thread of loom's for each task, and its timers never go off. The code of closing, owning and
//! registering is the library's own.
