//! The quality of received media: the mean opinion score of the E-model (ITU-T G.107), as
//! simplified by webrtc-issue-detector.

use std::time::Duration;

/// Returns a score from 1 (bad) to 4.5 (best), or `None` if `loss` is out of range or NaN.
///
/// `loss` is the share of packets that were lost, from 0 to 1.
pub(crate) fn score(round_trip_time: Duration, jitter: Duration, loss: f64) -> Option<f32> {
    if !(0.0..=1.0).contains(&loss) {
        return None;
    }
    let millis = |time: Duration| time.as_secs_f64() * 1e3;
    let latency = millis(round_trip_time) + 2.0 * millis(jitter) + 10.0;
    let r = if latency < 160.0 { 93.2 - latency / 40.0 } else { 93.2 - (latency - 120.0) / 10.0 };
    let r = (r - 2.5 * loss * 100.0).clamp(0.0, 100.0);
    let mos = 1.0 + 0.035 * r + 7e-6 * r * (r - 60.0) * (100.0 - r);
    Some(mos.clamp(1.0, 4.5) as f32)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scored(rtt: u64, jitter: u64, loss: f64) -> f32 {
        score(Duration::from_millis(rtt), Duration::from_millis(jitter), loss).expect("a number")
    }

    #[test]
    fn the_score_falls_with_latency_jitter_and_loss() {
        assert!(scored(10, 1, 0.0) > 4.3, "{}", scored(10, 1, 0.0));
        assert!(scored(250, 10, 0.0) < scored(50, 10, 0.0));
        assert!(scored(50, 100, 0.0) < scored(50, 10, 0.0));
        assert!(scored(50, 10, 0.05) < scored(50, 10, 0.0));
        assert_eq!(scored(50, 10, 1.0), 1.0);
    }

    /// A formula that scores 4.5 here is a known mistake (ggarber/rtcscore#3).
    #[test]
    fn a_round_trip_of_a_second_and_a_half_is_bad() {
        assert!(scored(1600, 0, 0.0) < 1.5, "{}", scored(1600, 0, 0.0));
        assert_eq!(score(Duration::ZERO, Duration::ZERO, f64::NAN), None);
    }
}
