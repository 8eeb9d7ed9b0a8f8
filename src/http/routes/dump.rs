//! The route of dumps.

use axum::http::header;
use axum::response::IntoResponse;

use super::connections::find;
use crate::dump::{internals, rtcstats};
use crate::http::edge::guard::Reader;
use crate::http::edge::long::giving_way;
use crate::http::edge::problem::Answer;
use crate::http::edge::query::Params;
use crate::http::edge::response::Guarded;
use crate::http::shared::Shared;
use crate::monitor::{ConnectionFilter, ConnectionInfo};
use crate::wire::http::{DumpParam, DumpQuery, ProblemJson};

/// The maximum number of live connections in one dump, and of connections that have ended.
const MAX_DUMPED: usize = 256;

/// Connections in the format of `chrome://webrtc-internals` or of rtcstats: one connection, or the
/// first 256 live ones and the last 256 that have ended.
#[utoipa::path(get, path = "/webrtc/monitor/dump", tag = "monitor", params(DumpQuery), responses(
    (status = 200, description = "The dump, as a file to be saved", content(
        (Object = "application/json"), (String = "text/plain"),
    )),
    (status = 400, response = ProblemJson),
    (status = 404, response = ProblemJson),
    (status = 503, response = ProblemJson),
))]
pub(crate) async fn dump(
    Reader(shared): Reader<Shared>,
    Params(query): Params<DumpQuery>,
) -> Answer {
    let turn = shared.long.turn().await?;
    let one = query.connection.map(|id| find(&shared, &id)).transpose()?;
    let (kind, name, make): (_, _, fn(&[ConnectionInfo]) -> String) = match query.format {
        None | Some(DumpParam::Internals) => {
            ("application/json", "attachment; filename=\"webrtc_internals_dump.json\"", internals)
        }
        Some(DumpParam::Rtcstats) => {
            ("text/plain; charset=utf-8", "attachment; filename=\"rtcstats_dump.txt\"", rtcstats)
        }
    };
    let body = turn.make(move || match one {
        Some(info) => make(&[info]),
        None => {
            let all = ConnectionFilter::new();
            let mut found = shared.monitor.find(0, MAX_DUMPED, &all).items;
            found.extend(shared.monitor.find_closed(None, MAX_DUMPED, &all).items);
            let mut infos = Vec::with_capacity(found.len());
            giving_way(&found, |connection| infos.push(connection.info()));
            make(&infos)
        }
    });
    let headers = [(header::CONTENT_TYPE, kind), (header::CONTENT_DISPOSITION, name)];
    Ok(Guarded((headers, body.await)).into_response())
}
