//! The calls on a peer.

/// Defines calls that forward to the connection, and can fail.
macro_rules! forward {
    ($($(#[$doc:meta])* $name:ident($($arg:ident: $type:ty),*) -> $output:ty;)*) => {
        $(
            $(#[$doc])*
            ///
            /// # Errors
            ///
            /// Returns [`OperationError`](crate::webrtc::OperationError) if the peer is closed, or
            /// `webrtc` refuses the call.
            ///
            /// # Cancel safety
            ///
            /// If the future is dropped, the call may still take effect.
            pub fn $name(&self, $($arg: $type),*) -> Call<'_, $output> {
                self.call(stringify!($name), move |connection| async move {
                    Ok(connection.$name($($arg),*).await?)
                })
            }
        )*
    };
}

/// Defines calls that forward to the connection, and cannot fail while the peer is open.
macro_rules! forward_infallible {
    ($($(#[$doc:meta])* $name:ident($($arg:ident: $type:ty),*) -> $output:ty = $call:ident;)*) => {
        $(
            $(#[$doc])*
            ///
            /// # Errors
            ///
            /// Returns [`OperationError::Closed`](crate::webrtc::OperationError::Closed) if the
            /// peer is closed.
            ///
            /// # Cancel safety
            ///
            /// Cancel safe.
            pub fn $name(&self, $($arg: $type),*) -> Call<'_, $output> {
                self.call(stringify!($name), move |connection| async move {
                    Ok(connection.$call($($arg),*).await)
                })
            }
        )*
    };
}

mod connection;
mod data;
mod media;
mod session;
