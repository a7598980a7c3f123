//! What cards must show (issue 5, `PERFORMANCE.md` G13 to G19), against what was measured.

use super::super::cards::is_hardware;
use super::super::cards::model::{H200_MULTIPLICATIONS, limit};
use super::super::plan::{RIVAL, WITH_CARDS};
use super::super::row::{Record, Row};
use super::document::Table;

pub(super) const METHOD: &str = "The goals are those of an H200 through CUDA, the last two of a machine with sixteen cores of Zen 5 beside it; of a card in software nothing \
    counts. The model is what such a card would do if its multipliers did nothing else, at half the rate of other instructions (hardware/README.md); \
    the limit, the same at the rate that was measured here.";

struct Goal {
    figure: &'static str,
    op: &'static str,
    case: &'static str,
    /// Items a second.
    must: f64,
}

const GOALS: [Goal; 6] = [
    Goal { figure: "recover, on the card", op: "recover", case: "resident", must: 25e6 },
    Goal { figure: "recover, from messages to verdicts", op: "recover", case: "messages-135", must: 20e6 },
    Goal { figure: "hot payers, on the card", op: "verify_known", case: "resident-hot-payer", must: 90e6 },
    Goal { figure: "Miller loops", op: "checkpoint", case: "resident-miller", must: 0.8e6 },
    Goal { figure: "additions in G1", op: "checkpoint", case: "resident-g1-add", must: 1.5e9 },
    Goal { figure: "Keccak, on the card", op: "keccak256", case: "resident-len-135", must: 1.5e9 },
];
/// wgpu with 64-bit integers, as a share of CUDA on the same card.
const WGPU_SHARE: f64 = 0.3;
/// Recoveries of a whole machine, with its card and without.
const WITH_CARD_MUST: f64 = 20e6;
const CPU_MUST: f64 = 4e6;

/// Every goal.
pub(super) fn table(record: &Record) -> Table {
    let head = ["figure", "by", "verdict", "must", "model", "limit", "measured"].map(str::to_owned).to_vec();
    let rows = &record.rows;
    let multiplications = best(rows, "imad-wide", "resident", is_cuda);
    let mut lines = vec![line(
        "multiplications of words",
        multiplications.map(|row| row.backend.as_str()),
        [None, Some(H200_MULTIPLICATIONS), None, multiplications.map(|row| row.items_per_s)].map(|it| it.map(rate)),
        multiplications.map(|_| true),
    )];
    lines.extend(GOALS.iter().map(|goal| {
        let row = best(rows, goal.op, goal.case, is_cuda);
        let measured = row.map(|row| row.items_per_s);
        let figures = [
            Some(goal.must),
            limit(goal.op, goal.case, H200_MULTIPLICATIONS),
            row.and_then(|row| row.model_limit_per_s),
            measured,
        ];
        let is_reached = measured.map(|measured| measured >= goal.must);
        line(goal.figure, row.map(|row| row.backend.as_str()), figures.map(|it| it.map(rate)), is_reached)
    }));
    lines.extend([wgpu_line(record), with_card_line(record), cpu_line(rows)]);
    Table { head, rows: lines, texts: 3 }
}

/// `figures`: must, model, limit, measured.
fn line(figure: &str, by: Option<&str>, figures: [Option<String>; 4], is_reached: Option<bool>) -> Vec<String> {
    let has_goal = figures[0].is_some();
    let verdict = match is_reached {
        None => "not measured",
        Some(_) if !has_goal => "measured",
        Some(true) => "reached",
        Some(false) => "missed",
    };
    let texts = [figure, by.unwrap_or_default(), verdict].map(str::to_owned);
    texts.into_iter().chain(figures.map(Option::unwrap_or_default)).collect()
}

/// The fastest row.
fn best<'r>(rows: &'r [Row], op: &str, case: &str, by: impl Fn(&str) -> bool) -> Option<&'r Row> {
    let of_case = rows.iter().filter(|row| row.op == op && row.case == case && by(&row.backend));
    of_case.max_by(|a, b| a.items_per_s.total_cmp(&b.items_per_s))
}

fn is_cuda(backend: &str) -> bool {
    backend.split(':').next() == Some("cuda")
}

/// The best share of CUDA on a card that is there through both.
fn wgpu_line(record: &Record) -> Vec<String> {
    // `label: name, driver`; the driver's text ends with the arithmetic.
    let cards = || record.machine.cards.iter().filter_map(|card| card.split_once(": "));
    let of_name = |card: &str| card.split(',').next().unwrap_or_default().to_owned();
    let rate_of = |label: &str| best(&record.rows, "recover", "resident", |by| by == label).map(|row| row.items_per_s);
    let is_wide = |(label, card): &(&str, &str)| is_hardware(label) && !is_cuda(label) && card.ends_with(WIDE);
    let shares = cards().filter(is_wide).filter_map(|(label, card)| {
        let (cuda, _) = cards().find(|(other, same)| is_cuda(other) && of_name(same) == of_name(card))?;
        Some((label, rate_of(label)? / rate_of(cuda)?))
    });
    let found = shares.max_by(|a, b| a.1.total_cmp(&b.1));
    let percent = |share: f64| format!("{:.0} % of cuda", share * 100.0);
    let figures = [Some(percent(WGPU_SHARE)), None, None, found.map(|(_, share)| percent(share))];
    let is_reached = found.map(|(_, share)| share >= WGPU_SHARE);
    line("wgpu with 64-bit integers, recover", found.map(|(label, _)| label), figures, is_reached)
}

/// What wgpu says of its arithmetic.
const WIDE: &str = ": 64-bit integers";

fn with_card_line(record: &Record) -> Vec<String> {
    let mut labels = record.machine.cards.iter().filter_map(|card| card.split_once(": "));
    let has_card = labels.any(|(label, _)| is_hardware(label));
    let row = best(&record.rows, "recover", "cold", |by| has_card && by == WITH_CARDS);
    let measured = row.map(|row| row.items_per_s);
    let figures = [Some(WITH_CARD_MUST), None, None, measured].map(|it| it.map(rate));
    line("recover, processor and cards", row.map(|_| WITH_CARDS), figures, measured.map(|it| it >= WITH_CARD_MUST))
}

fn cpu_line(rows: &[Row]) -> Vec<String> {
    let of_pool = rows.iter().filter(|row| row.op == "recover" && row.case == "cold" && row.peer == RIVAL);
    let measured = of_pool.map(|row| 1e9 / row.peer_ns_per_item).max_by(f64::total_cmp);
    let figures = [Some(CPU_MUST), None, None, measured].map(|it| it.map(rate));
    line("recover, processor alone", measured.map(|_| RIVAL), figures, measured.map(|it| it >= CPU_MUST))
}

/// `25.0 M/s`
fn rate(per_s: f64) -> String {
    let (unit, name) = match per_s {
        1e12.. => (1e12, " T"),
        1e9.. => (1e9, " G"),
        1e6.. => (1e6, " M"),
        1e3.. => (1e3, " k"),
        _ => (1.0, " "),
    };
    format!("{:.*}{name}/s", if per_s / unit < 10.0 { 2 } else { 1 }, per_s / unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(cards: &[&str], rows: Vec<Row>) -> Record {
        let text = r#"{"machine":{"cpu":"","cores":16,"memory_mib":1,"kernel":""},"commit":"","command":"","date":"","features":[],
            "peers":{},"seed":1,"rows":[]}"#;
        let mut record: Record = serde_json::from_str(text).expect("a record");
        record.machine.cards = cards.iter().map(|card| (*card).to_owned()).collect();
        Record { rows, ..record }
    }

    fn row(op: &str, case: &str, by: &str, rate: f64) -> Row {
        Row::of_kernel(op, case, by, 65_536, rate)
    }

    fn lines(record: &Record) -> Vec<[String; 3]> {
        table(record).rows.into_iter().map(|line| [line[1].clone(), line[2].clone(), line[6].clone()]).collect()
    }

    #[test]
    fn what_was_measured_is_held_against_the_goals() {
        let cards = ["cuda: NVIDIA H200, CUDA driver 13.0", "wgpu: NVIDIA H200, vulkan NVIDIA: 64-bit integers"];
        let with_cards =
            Row { peer: RIVAL.into(), peer_ns_per_item: 200.0, ..row("recover", "cold", WITH_CARDS, 21e6) };
        let rows = vec![
            row("imad-wide", "resident", "cuda", 8.3e12),
            row("recover", "resident", "cuda", 30e6),
            row("recover", "resident", "cuda:1", 40e6),
            row("recover", "resident", "wgpu", 12e6),
            row("recover", "messages-135", "cuda", 19e6),
            with_cards,
        ];
        let found = lines(&record(&cards, rows));
        let of = |at: usize| found[at].each_ref().map(String::as_str);
        assert_eq!(of(0), ["cuda", "measured", "8.30 T/s"]);
        assert_eq!(of(1), ["cuda:1", "reached", "40.0 M/s"]);
        assert_eq!(of(2), ["cuda", "missed", "19.0 M/s"]);
        assert_eq!(of(3), ["", "not measured", ""]);
        assert_eq!(of(7), ["wgpu", "reached", "40 % of cuda"], "of the card that it shares with it");
        assert_eq!(of(8), [WITH_CARDS, "reached", "21.0 M/s"]);
        assert_eq!(of(9), [RIVAL, "reached", "5.00 M/s"]);
        let model: Vec<_> = table(&record(&[], Vec::new())).rows.into_iter().map(|line| line[4].clone()).collect();
        let expected =
            ["8.36 T/s", "65.6 M/s", "65.6 M/s", "217.1 M/s", "3.82 M/s", "4.79 G/s", "3.87 G/s", "", "", ""];
        assert_eq!(model, expected);
    }

    #[test]
    fn cards_in_software_reach_nothing() {
        let cards = ["cuda-twin: Twin, C++; software", "wgpu-software: llvmpipe, vulkan: 64-bit integers; software"];
        let by = |by| row("recover", "resident", by, 1e9);
        let both = row("recover", "cold", WITH_CARDS, 1e9);
        let found = lines(&record(&cards, vec![by("cuda-twin"), by("wgpu-software"), both]));
        assert!(found.iter().all(|line| line[1] == "not measured"), "{found:?}");
    }

    #[test]
    fn wgpu_is_held_against_the_same_card_and_with_64_bits() {
        let rows = vec![row("recover", "resident", "cuda", 30e6), row("recover", "resident", "wgpu", 1e6)];
        for wgpu in
            ["wgpu: Intel, vulkan: 64-bit integers", "wgpu: H200, vulkan: 32-bit integers (64-bit ones: turned off)"]
        {
            assert_eq!(lines(&record(&["cuda: H200, CUDA"], Vec::new()))[7][1], "not measured");
            assert_eq!(lines(&record(&["cuda: H200, CUDA", wgpu], rows.clone()))[7][1], "not measured", "{wgpu}");
        }
    }
}
