//! The records of operations.

mod clean;
mod table;

pub(super) use self::clean::{Details, RawOutcome, clean_target};
pub(super) use self::table::{OperationRecord, Operations};
