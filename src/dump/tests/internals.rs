//! webrtc-internals, read as rtcstats' importer reads it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::{bare, shapes, typical};
use crate::dump::internals;

type Fields = BTreeMap<String, Vec<(Value, Value)>>;

/// `JSON.parse` of what must be a text.
fn parsed(value: &Value) -> Result<Value, String> {
    let text = value.as_str().ok_or_else(|| format!("no text: {value}"))?;
    serde_json::from_str(text).map_err(|error| format!("{error}: {text}"))
}

fn list(value: &Value) -> Result<&Vec<Value>, String> {
    value.as_array().ok_or_else(|| format!("no array: {value}"))
}

/// The importer's series by id and field; every way in which it throws or goes wrong is an error.
fn series(stats: &Map<String, Value>) -> Result<BTreeMap<String, Fields>, String> {
    let mut all: BTreeMap<String, Fields> = BTreeMap::new();
    for (name, stats_of) in stats {
        if name.contains('[') {
            return Err(format!("taken for a computed field: {name}"));
        }
        let (id, field) = name.rsplit_once('-').ok_or_else(|| format!("no field: {name}"))?;
        let timestamps = stats
            .get(&format!("{id}-timestamp"))
            .ok_or_else(|| format!("{id} has no timestamps"))?;
        let (timestamps, values) = (parsed(&timestamps["values"])?, parsed(&stats_of["values"])?);
        let (timestamps, values) = (list(&timestamps)?, list(&values)?);
        if values.is_empty() {
            return Err(format!("empty: {name}"));
        }
        if values.len() != timestamps.len() {
            return Err(format!("{name} has {} of {}", values.len(), timestamps.len()));
        }
        let iso =
            |value: &Value| value.as_str().is_some_and(|it| it.ends_with('Z') && it.len() == 24);
        if !iso(&stats_of["startTime"]) || !iso(&stats_of["endTime"]) {
            return Err(format!("no times: {stats_of}"));
        }
        stats_of["statsType"].as_str().ok_or("no type")?;
        let pairs = timestamps.iter().cloned().zip(values.iter().cloned()).collect();
        all.entry(id.into()).or_default().insert(field.into(), pairs);
    }
    match all.iter().find(|(_, fields)| fields.len() < 2) {
        Some((id, _)) => Err(format!("{id} has no fields")),
        None => Ok(all),
    }
}

fn candidate(value: &Value) -> Result<(), String> {
    let text = value["candidate"].as_str().ok_or("no candidate")?;
    let words: Vec<&str> = text.strip_prefix("candidate:").ok_or("no prefix")?.split(' ').collect();
    let known = value.get("sdpMid").is_some() && value.get("sdpMLineIndex").is_some();
    match words[..] {
        [_, "1", "udp" | "tcp", _, address, port, "typ", _] if known && !address.is_empty() => {
            port.parse::<u16>().map(|_| ()).map_err(|error| error.to_string())
        }
        _ => Err(format!("no candidate: {value}")),
    }
}

fn update(entry: &Value) -> Result<(), String> {
    let kind = entry["type"].as_str().ok_or("no type")?;
    let text = entry["value"].as_str().ok_or("a value that is no text")?;
    entry["timestamp"].as_u64().ok_or("no timestamp")?;
    if text.starts_with("{\"type\":") != kind.ends_with("Description") {
        return Err(format!("taken for a description, or not: {entry}"));
    }
    if !text.starts_with("{\"type\":") && text.contains(", sdp: ") {
        return Err(format!("taken for a description of old: {entry}"));
    }
    let value = if text.is_empty() { Value::Null } else { parsed(&entry["value"])? };
    match kind {
        "setLocalDescription" | "setRemoteDescription" if !value["sdp"].is_string() => {
            Err(format!("no SDP: {entry}"))
        }
        "onicecandidate" | "addIceCandidate" => candidate(&value),
        "transceiverAdded" | "transceiverModified"
            if !value["sender"].is_object() || !value["receiver"].is_object() =>
        {
            Err(format!("no transceiver: {entry}"))
        }
        _ if kind.ends_with("statechange") && !value.is_string() => {
            Err(format!("no state: {entry}"))
        }
        _ => Ok(()),
    }
}

/// Reads a whole file.
fn read(dump: &Value) -> Result<Vec<BTreeMap<String, Fields>>, String> {
    list(&dump["getUserMedia"])?;
    dump["UserAgent"].as_str().ok_or("no user agent")?;
    let brands = list(&dump["UserAgentData"])?;
    if brands.len() < 3
        || brands.iter().any(|it| !it["brand"].is_string() || !it["version"].is_string())
    {
        return Err("too few brands".into());
    }
    let connections = dump["PeerConnections"].as_object().ok_or("no connections")?;
    let mut all = Vec::new();
    for (key, connection) in connections {
        let (rid, lid) = key.split_once('-').ok_or("no key")?;
        if rid.parse::<u64>().is_err() || lid.parse::<u64>().is_err() {
            return Err(format!("no key: {key}"));
        }
        let configuration = &connection["rtcConfiguration"];
        for server in list(&configuration["iceServers"])? {
            if server.get("credential").is_some() || server.to_string().contains('@') {
                return Err(format!("a credential: {server}"));
            }
            list(&server["urls"])?;
        }
        if !configuration["iceTransportPolicy"].is_string()
            || !connection["pid"].is_u64()
            || !connection["url"].is_string()
            || !connection["constraints"].is_string()
        {
            return Err(format!("not whole: {connection}"));
        }
        let log = list(&connection["updateLog"])?;
        log.iter().try_for_each(update)?;
        if !log.is_sorted_by_key(|entry| entry["timestamp"].as_u64()) {
            return Err("not in order".into());
        }
        let series = series(connection["stats"].as_object().ok_or("no stats")?)?;
        // The pair in use, and its candidates, are gone through at the time that names them.
        if let Some(selected) = series.get("T").and_then(|it| it.get("selectedCandidatePairId")) {
            let last =
                |id: &str, field: &str| series[id][field].last().cloned().expect("not empty");
            let (at, pair) = selected.last().cloned().expect("not empty");
            let pair = pair.as_str().expect("an id");
            for end in ["localCandidateId", "remoteCandidateId"] {
                let (pair_at, candidate) = last(pair, end);
                let (candidate_at, _) = last(candidate.as_str().expect("an id"), "address");
                assert_eq!((&pair_at, &candidate_at), (&at, &at));
            }
        }
        all.push(series);
    }
    Ok(all)
}

fn dump_of(shapes: &[crate::monitor::ConnectionInfo]) -> Value {
    let text = internals(shapes);
    assert!(text.starts_with('{'));
    serde_json::from_str(&text).expect("JSON")
}

fn only(dump: &mut Value) -> &mut Value {
    dump["PeerConnections"].as_object_mut().expect("an object").values_mut().next().expect("one")
}

#[test]
fn every_shape_loads() {
    let shapes = shapes();
    for shape in &shapes {
        let dump = dump_of(std::slice::from_ref(shape));
        if let Err(error) = read(&dump) {
            panic!("{error} in {dump}");
        }
    }
    let all = read(&dump_of(&shapes)).expect("it loads");
    assert_eq!(all.len(), shapes.len());
    assert!(read(&dump_of(&[])).expect("it loads").is_empty());
}

#[test]
fn connections_that_share_a_number_or_an_id_have_keys_of_their_own() {
    let dump = dump_of(&[bare(1, "x"), bare(1, "x"), bare(2, "x"), bare(1, "y")]);
    assert_eq!(dump["PeerConnections"].as_object().expect("an object").len(), 4);
}

#[test]
fn the_log_has_the_names_and_values_of_chrome() {
    let mut dump = dump_of(&[typical()]);
    let log = only(&mut dump)["updateLog"].clone();
    let values = |kind: &str| -> Vec<String> {
        let entries = log.as_array().expect("an array").iter().filter(|it| it["type"] == kind);
        entries.map(|it| it["value"].as_str().expect("a text").to_owned()).collect()
    };
    assert_eq!(values("onconnectionstatechange"), ["\"connected\""]);
    assert_eq!(values("oniceconnectionstatechange"), ["\"connected\""]);
    assert_eq!(values("onicegatheringstatechange"), ["\"complete\""]);
    assert_eq!(values("onsignalingstatechange"), ["\"have-local-offer\""]);
    assert_eq!(values("onnegotiationneeded"), [""]);
    assert_eq!(values("close"), ["\"requested\""]);
    assert_eq!(values("createDataChannel"), ["{\"label\":\"alice\"}"]);
    assert_eq!(values("ondatachannel"), ["{\"label\":\"alice\"}", "{\"label\":\"alice\"}"]);
    assert_eq!(
        values("onicecandidate"),
        [
            r#"{"sdpMid":null,"sdpMLineIndex":null,"candidate":"candidate:0 1 udp 0 192.0.2.1 5000 typ host"}"#
        ]
    );
    assert!(values("addIceCandidate")[1].contains(" redacted.invalid 5000 "));
    assert!(values("setLocalDescription")[0].starts_with(r#"{"type":"offer","sdp":"v=0\r\n"#));
    assert_eq!(values("setRemoteDescription").len(), 2);
    assert_eq!(values("setRemoteDescription")[1], r#"{"type":"answer","sdp":""}"#);
    let error = &values("onicecandidateerror")[0];
    for part in [r#""url":"stun:s""#, r#""error_text":"alice""#, r#""error_code":701"#] {
        assert!(error.contains(part), "{error}");
    }
    assert_eq!(values("transceiverAdded").len(), 2);
    assert_eq!(values("transceiverModified").len(), 2);
    assert!(values("anypeer").contains(&"\"remote DTLS alert 42\"".into()));
}

#[test]
fn series_are_padded_with_null_and_end_together() {
    let all = read(&dump_of(&[typical()])).expect("it loads");
    let values = |id: &str, field: &str| -> Vec<Value> {
        all[0][id][field].iter().map(|(_, value)| value.clone()).collect()
    };
    assert_eq!(values("T", "bytesSent"), [100, 200, 200, 0, 300].map(Value::from));
    assert_eq!(values("T", "dtlsState")[3..], [Value::Null, json!("connected")]);
    assert_eq!(values("T", "selectedCandidatePairId")[4], "CP1");
    let times = [json!(0.02), Value::Null, json!(0.0), json!(0.03)];
    assert_eq!(values("CP1", "currentRoundTripTime"), times);
    assert_eq!(values("CP1", "nominated")[3], true);
    assert_eq!(values("P", "quality")[0], Value::Null, "it is no number");
    assert_eq!(values("L0", "address"), ["192.0.2.1"]);
    assert_eq!(values("R1", "address"), ["redacted.invalid"]);
    assert_eq!(values("D0", "label"), ["opus"]);
    let last = all[0]["T"]["timestamp"].last().expect("one").0.clone();
    assert!(all[0].values().flat_map(BTreeMap::values).all(|it| it.last().expect("one").0 == last));
}

#[test]
fn the_reader_sees_what_would_break_the_real_one() {
    let good = dump_of(&[typical()]);
    read(&good).expect("it loads");
    let broken = |what: &str, mutation: &dyn Fn(&mut Value)| {
        let mut dump = good.clone();
        mutation(only(&mut dump));
        read(&dump).expect_err(what);
    };
    broken("a missing timestamp", &|it| {
        it["stats"].as_object_mut().expect("an object").remove("T-timestamp");
    });
    broken("a real array", &|it| it["stats"]["T-bytesSent"]["values"] = json!([1, 2, 3, 4, 5]));
    broken("an empty series", &|it| it["stats"]["T-bytesSent"]["values"] = json!("[]"));
    broken("a dash in a field", &|it| {
        it["stats"]["T-bytes-sent"] = it["stats"]["T-bytesSent"].clone();
    });
    broken("a long field", &|it| it["stats"]["T-bytesSent"]["values"] = json!("[1,2,3,4,5,6]"));
    broken("a credential", &|it| {
        it["rtcConfiguration"]["iceServers"][0]["credential"] = json!("hunter2");
    });
    broken("a value that is no text", &|it| it["updateLog"][0]["value"] = Value::Null);
}

#[test]
fn no_field_and_no_id_has_a_dash() {
    let mut names = BTreeSet::new();
    for shape in shapes() {
        let mut dump = dump_of(&[shape]);
        names.extend(only(&mut dump)["stats"].as_object().expect("an object").keys().cloned());
    }
    for name in names {
        let (id, field) = name.split_once('-').expect("a dash");
        assert!(id.chars().all(|c| c.is_ascii_alphanumeric()), "{name}");
        assert!(field.chars().all(|c| c.is_ascii_alphanumeric()), "{name}");
    }
}
