//! `RTCStatsDump` files, read as rtcstats' importer reads them.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::{bare, full, sample, shapes, typical};
use crate::dump::rtcstats;
use crate::monitor::ConnectionInfo;

/// What happened to a connection: the method, its value, and when.
type Trace = Vec<(String, Value, u64)>;

fn is_falsy(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(flag) => !flag,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        Value::Array(_) | Value::Object(_) => false,
    }
}

/// The importer's `statsDecompression`: what is missing, and what is false, stays as it was.
fn decompress(base: &Map<String, Value>, delta: &Value) -> Result<Map<String, Value>, String> {
    let mut stats = delta.as_object().ok_or("no stats")?.clone();
    for (id, object) in base {
        match stats.get_mut(id) {
            Some(Value::Null) => drop(stats.remove(id)),
            Some(Value::Object(new)) => {
                for (name, old) in object.as_object().ok_or("no object")? {
                    if new.get(name).is_none_or(is_falsy) {
                        new.insert(name.clone(), old.clone());
                    }
                }
            }
            Some(other) => return Err(format!("no object: {other}")),
            None => drop(stats.insert(id.clone(), object.clone())),
        }
    }
    match stats.iter().find(|(_, object)| !object.is_object()) {
        Some((id, object)) => Err(format!("{id} is {object}")),
        None => Ok(stats),
    }
}

fn read(text: &str) -> Result<BTreeMap<String, Trace>, String> {
    let json = |line: &str| -> Result<Value, String> {
        serde_json::from_str(line).map_err(|error| format!("{error}: {line}"))
    };
    let mut lines = text.strip_prefix("RTCStatsDump\n").ok_or("no dump")?.lines();
    let header = json(lines.next().ok_or("no header")?)?;
    if header["fileFormat"] != 3
        || ["url", "origin", "userAgent"].iter().any(|it| !header[it].is_string())
    {
        return Err(format!("no header: {header}"));
    }
    header["startTime"].as_u64().ok_or("no start")?;
    let mut traces: BTreeMap<String, Trace> = BTreeMap::new();
    let mut bases: BTreeMap<String, Map<String, Value>> = BTreeMap::new();
    let mut now = 0;
    for line in lines.filter(|line| !line.is_empty()) {
        let line = json(line)?;
        let [Value::String(method), id, value, .., delta] = &line.as_array().ok_or("no array")?[..]
        else {
            return Err(format!("too short: {line}"));
        };
        now += delta.as_u64().ok_or("no time")?;
        let id = id.as_str().unwrap_or("null").to_owned();
        if !traces.contains_key(&id) && method != "create" {
            return Err(format!("{id} begins with {method}"));
        }
        let mut value = value.clone();
        if method == "getStats" {
            let base = bases.entry(id.clone()).or_default();
            *base = decompress(base, &value)?;
            value = Value::Object(base.clone());
            selected_pair(base)?;
        }
        match method.as_str() {
            "create" if traces.contains_key(&id) => return Err(format!("{id} is made twice")),
            "create" if value.to_string().contains("credential") => {
                return Err("a credential".into());
            }
            "setLocalDescription" | "setRemoteDescription" if !value["sdp"].is_string() => {
                return Err(format!("no SDP: {line}"));
            }
            "ontrack" | "addTrack" if !value.is_array() => return Err(format!("no track: {line}")),
            _ if method.ends_with("statechange") && !value.is_string() => {
                return Err(format!("no state: {line}"));
            }
            _ => {}
        }
        traces.entry(id).or_default().push((method.clone(), value, now));
    }
    Ok(traces)
}

/// Feature extraction goes from the transport to its pair, and on to the candidates.
fn selected_pair(stats: &Map<String, Value>) -> Result<(), String> {
    let Some(pair) = stats.get("T").and_then(|it| it["selectedCandidatePairId"].as_str()) else {
        return Ok(());
    };
    for end in ["localCandidateId", "remoteCandidateId"] {
        let id = stats.get(pair).and_then(|pair| pair[end].as_str()).ok_or("no pair")?;
        stats.get(id).ok_or("no candidate")?;
    }
    Ok(())
}

fn stats_of(trace: &Trace) -> Vec<(&Value, u64)> {
    trace.iter().filter(|it| it.0 == "getStats").map(|(_, value, at)| (value, *at)).collect()
}

fn first_lines(shapes: &[ConnectionInfo]) -> Vec<String> {
    rtcstats(shapes).lines().map(str::to_owned).collect()
}

#[test]
fn every_shape_loads() {
    let shapes = shapes();
    for shape in &shapes {
        let text = rtcstats(std::slice::from_ref(shape));
        match read(&text) {
            // Its own, and that of no connection.
            Ok(traces) => assert_eq!(traces.len(), 2),
            Err(error) => panic!("{error} in {text}"),
        }
    }
    assert_eq!(read(&rtcstats(&shapes)).expect("it loads").len(), shapes.len() + 1);
    assert_eq!(read(&rtcstats(&[])).expect("it loads").len(), 0);
}

#[test]
fn the_first_lines_are_those_of_version_three() {
    let lines = first_lines(&[bare(1, "alice"), bare(2, "bob")]);
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(lines[0], "RTCStatsDump");
    let header = format!(
        r#"{{"fileFormat":3,"url":"anypeer:","origin":"anypeer:","userAgent":"anypeer/{version}","startTime":1700000000001}}"#
    );
    assert_eq!(lines[1], header);
    assert_eq!(
        lines[2],
        format!(r#"["create",null,{{"userAgent":"anypeer/{version}"}},1700000000001]"#)
    );
    assert_eq!(lines[3], r#"["create","1-alice",{"iceServers":[],"iceTransportPolicy":"all"},0]"#);
    assert_eq!(lines[4], r#"["create","2-bob",{"iceServers":[],"iceTransportPolicy":"all"},1]"#);
    assert_eq!(lines.len(), 5);
}

#[test]
fn one_clock_runs_over_all_connections() {
    let all = [full(40, "late"), full(0, "early")];
    let text = rtcstats(&all);
    let traces = read(&text).expect("it loads");
    for (id, start) in [("0-early", 0), ("40-late", 40)] {
        let trace = &traces[id];
        assert_eq!((trace[0].0.as_str(), trace[0].2), ("create", 1_700_000_000_000 + start));
        assert!(trace.is_sorted_by_key(|(_, _, at)| *at));
        assert_eq!(
            trace.iter().find(|it| it.0 == "close").expect("one").2,
            1_700_000_000_250 + start
        );
        assert_eq!(trace.iter().filter(|it| it.0 == "close").count(), 1);
    }
    // Between each other, not one after the other.
    let ids: Vec<bool> = text.lines().skip(3).map(|line| line.contains("\"0-early\"")).collect();
    assert!(ids.windows(2).filter(|pair| pair[0] != pair[1]).count() > 10);
}

#[test]
fn nothing_is_before_its_create() {
    let mut info = full(1, "x");
    info.created_at = super::ms(100_000);
    info.samples = vec![sample(3, 1, None, None)];
    let traces = read(&rtcstats(&[info])).expect("it loads");
    assert_eq!(traces["1-x"][0].0, "create");
    assert!(traces["1-x"].iter().all(|it| it.2 == 1_700_000_100_000));
}

#[test]
fn values_are_as_rtcstats_has_them() {
    let text = rtcstats(&[typical()]);
    for part in [
        r#"["onconnectionstatechange","7-alice","connected","#,
        r#"["onnegotiationneeded","7-alice",null,"#,
        r#"["createDataChannel","7-alice",["alice"],"#,
        r#"["ondatachannel","7-alice",[null,"alice"],"#,
        r#"["addTrack","7-alice",[null,"alice"],"#,
        r#"["ontrack","7-alice",["audio","alice"],"#,
        r#"["removeTrack","7-alice","alice","#,
        r#"["setLocalDescription","7-alice",{"type":"offer","sdp":"v=0\r\n"#,
        r#""errorCode":701,"errorText":"alice"}"#,
        r#""candidate":"candidate:0 1 udp 0 192.0.2.1 5000 typ host"}"#,
        r#"{"iceServers":[{"urls":["stun:stun.example:3478"]},{"urls":["turn:turn.example"]}]"#,
        r#"["close","7-alice","requested","#,
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
}

#[test]
fn what_is_decompressed_is_what_was_sampled() {
    let traces = read(&rtcstats(&[typical()])).expect("it loads");
    let stats = stats_of(&traces["7-alice"]);
    // Where an object has less than before, a line before it takes it out: first `P`, then `T`.
    let sent: Vec<_> = stats.iter().map(|(it, _)| it["T"]["bytesSent"].clone()).collect();
    let gone = Value::Null;
    assert_eq!(sent, [100.into(), 200.into(), 200.into(), 200.into(), gone, 0.into(), 300.into()]);
    let times = stats.iter().map(|(it, _)| it["CP1"]["currentRoundTripTime"].as_f64());
    let whole = [None, Some(0.02), Some(0.02), None, None, Some(0.0), Some(0.03)];
    assert!(times.eq(whole));
    let last = stats.last().expect("one").0;
    assert_eq!(last["T"]["selectedCandidatePairId"], "CP1");
    assert_eq!(last["RI1"]["localId"], "O1");
    let times: Vec<_> = stats.iter().map(|(it, _)| it["T"]["timestamp"].as_u64()).collect();
    let at: Vec<_> = stats.iter().map(|(_, at)| Some(*at)).collect();
    assert_eq!((times[2], times[4]), (at[1], None), "what is only taken out has no time");
    assert_eq!((times[0], times[1], times[3], times[6]), (at[0], at[1], at[3], at[6]));
}

#[test]
fn statistics_are_told_as_what_is_new() {
    let mut info = bare(1, "x");
    info.samples =
        [(1, 100), (2, 100), (3, 200)].map(|(at, bytes)| sample(at, bytes, None, None)).into();
    let lines = first_lines(&[info]);
    assert!(lines[4].contains(r#""type":"transport""#) && lines[4].contains(r#""packetsSent":1"#));
    assert_eq!(lines[5], r#"["getStats","1-x",{"T":{"timestamp":1700000000002}},1]"#);
    assert!(!lines[6].contains("type") && lines[6].contains(r#""bytesSent":200"#));
}

#[test]
fn the_reader_sees_what_would_break_the_real_one() {
    let good = rtcstats(&[typical()]);
    read(&good).expect("it loads");
    let no_create: String = good
        .lines()
        .filter(|it| !it.contains("\"create\",\"7"))
        .map(|it| format!("{it}\n"))
        .collect();
    read(&no_create).expect_err("no create");
    read(&good.replace("{\"urls\"", "{\"credential\":\"x\",\"urls\"")).expect_err("a credential");
    read(&good.replace("\"connected\"", "{}")).expect_err("a state that is no text");
    read(&good.replace("RTCStatsDump\n", "RTCStatsDump")).expect_err("no first line");
}
