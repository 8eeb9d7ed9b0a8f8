//! The calls on a peer.

/// Forwards calls that can fail.
macro_rules! forward {
    ($($(#[$doc:meta])* $name:ident($($arg:ident: $type:ty),*) -> $output:ty;)*) => {
        $(
            $(#[$doc])*
            ///
            /// # Errors
            ///
            /// [`OperationError`](crate::webrtc::OperationError): the peer is closed, or `webrtc` refused.
            ///
            /// # Cancel safety
            ///
            /// As in `webrtc`: what was begun on the connection may still take effect.
            pub fn $name(&self, $($arg: $type),*) -> Call<'_, $output> {
                self.call(stringify!($name), move |connection| async move {
                    Ok(connection.$name($($arg),*).await?)
                })
            }
        )*
    };
}

/// Forwards calls that cannot fail while the peer is open.
macro_rules! forward_infallible {
    ($($(#[$doc:meta])* $name:ident($($arg:ident: $type:ty),*) -> $output:ty = $call:ident;)*) => {
        $(
            $(#[$doc])*
            ///
            /// # Errors
            ///
            /// [`OperationError::Closed`](crate::webrtc::OperationError::Closed) if the peer is closed.
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
