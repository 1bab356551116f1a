//! Counters stand at 0 from the start: a rate over one that comes into being with its first count
//! misses that count, and an alarm on it does not go off.

use metrics::Label;

/// Answers of the handset's door, by `result`: a screen or a refusal's code.
pub const HANDSET_ANSWERS: &str = "selfprov_handset_answers_total";
/// Lines of the service's own log that standard error did not take.
pub const LOG_LINES_LOST: &str = "selfprov_log_lines_lost_total";

/// A counter.
struct Known {
    name: &'static str,
    text: &'static str,
    /// Its series: label and value. Of a counter with many series those on which an alarm is put.
    series: &'static [&'static [(&'static str, &'static str)]],
}

/// The one series of a counter without labels.
const PLAIN: &[&[(&str, &str)]] = &[&[]];

const fn plain(name: &'static str, text: &'static str) -> Known {
    Known {
        name,
        text,
        series: PLAIN,
    }
}

#[rustfmt::skip]
const COUNTERS: &[Known] = &[
    Known {
        name: HANDSET_ANSWERS,
        text: "Answers to handsets by screen or refusal",
        series: &[&[("result", "AUTHENTICATION_FAILED")], &[("result", "TOO_MANY_ATTEMPTS")]],
    },
    Known {
        name: "selfprov_restart_attempts_total",
        text: "Requests to phones to restart, by what became of them",
        series: &[
            &[("result", "accepted")], &[("result", "refused")], &[("result", "no_answer")],
            &[("result", "no_way")],
        ],
    },
    plain("selfprov_restarts_done_total", "Phones that came back"),
    Known {
        name: "selfprov_auto_registration_reclaimed_total",
        text: "Unclaimed phones removed, their numbers freed, by reason",
        series: &[&[("reason", "time_to_live")], &[("reason", "file_not_fetched")]],
    },
    Known {
        name: "selfprov_tvs_verifications_total",
        text: "Answers of TVS, by whether the certificate is one of ours",
        series: &[&[("valid", "yes")], &[("valid", "no")]],
    },
    Known {
        name: "selfprov_calls_total",
        text: "Calls by where they went and how they ended",
        series: &[
            &[("kind", "emergency"), ("result", "answered")],
            &[("kind", "emergency"), ("result", "unanswered")],
            &[("kind", "emergency"), ("result", "busy")],
            &[("kind", "emergency"), ("result", "cancelled")],
            &[("kind", "emergency"), ("result", "refused")],
            &[("kind", "emergency"), ("result", "unreachable")],
        ],
    },
    Known {
        name: "selfprov_calls_refused_total",
        text: "Calls that were not made, by reason",
        series: &[&[("reason", "wrong_proof")], &[("reason", "foreign_number")]],
    },
    plain("selfprov_calls_busy_total", "Calls that were not made for want of room"),
    plain("selfprov_sip_busy_total", "Requests answered 503 because a queue was full"),
    plain("selfprov_sip_guesses_stopped_total", "Guesses of SIP secrets that were stopped"),
    plain("selfprov_sip_connections_refused_total", "SIP connections over a limit"),
    plain("selfprov_tvs_connections_refused_total", "TVS connections over a limit"),
    plain(
        "selfprov_http_connections_refused_total",
        "Connections closed because a listener had as many as it may",
    ),
    plain(
        "selfprov_http_connections_stalled_total",
        "Connections cut off because the client took nothing of its answer",
    ),
    plain("selfprov_tls_handshakes_failed_total", "TLS handshakes that failed or took too long"),
    plain("selfprov_tftp_requests_dropped_total", "TFTP requests over a limit"),
    plain("selfprov_files_signed_total", "Signatures of files that were made"),
    plain("selfprov_files_not_signed_total", "Files that were not signed; phones ask again"),
    plain("selfprov_files_withheld_total", "Secrets withheld from a wrong address"),
    plain("selfprov_file_sweeps_total", "Addresses stopped for asking for file after file"),
    plain("selfprov_file_requests_throttled_total", "Requests of such addresses"),
    plain("selfprov_file_notes_dropped_total", "Notes of fetched files lost to a full queue"),
    plain(LOG_LINES_LOST, "Lines of the log that standard error did not take"),
    plain(
        "selfprov_trace_entries_dropped_total",
        "Lines of the service trace lost to a full queue or disk",
    ),
];

/// Describes the counters and begins each at 0.
pub(super) fn begin() {
    for counter in COUNTERS {
        metrics::describe_counter!(counter.name, counter.text);
        for series in counter.series {
            let label = |(name, value): &(&'static str, &'static str)| Label::new(*name, *value);
            let labels: Vec<Label> = series.iter().map(label).collect();
            metrics::counter!(counter.name, labels).absolute(0);
        }
    }
}
