//! `vigil calibrate`: measures the verification engine on this machine and keeps the result for the node.

use crate::{CliError, Globals, Output};
use serde_json::json;
use std::path::PathBuf;
use vigil_accel::engine::calibrate::{Calibration, Row, SIZES};
use vigil_accel::engine::{CardCost, Op, Plan};
use vigil_accel::gpu::Gpu;
use vigil_accel::{BackendName, detect};
use vigil_node::accel::{self, NotKept};
use vigil_node::layout::Layout;

/// For which node.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Folder made by `vigil init`, where the result is kept for its node [default: node in the home folder]
    #[arg(long, value_name = "FOLDER")]
    data_dir: Option<PathBuf>,
}

/// Measures what the node would: all backends of the processor, and the cards that its configuration allows.
pub(crate) fn run(args: &Args, globals: &Globals, output: &Output) -> Result<(), CliError> {
    let layout = crate::init::data_dir(args.data_dir.as_ref(), globals)?;
    let file = place(args, &layout)?;
    let config = crate::init::config(&layout, [])?;
    let (allowed, cards) = accel::allowed(&config).map_err(crate::start::no_engine)?;
    if output.is_terminal() {
        output.note("measuring for a few seconds; anything else that runs here disturbs");
    }
    let measured = Calibration::measure(&detect(), &cards, crate::start::COMMIT);
    let kept = keep(&measured, file, &cards)?;
    let plan = measured.plan(&allowed, &cards);
    let steps = |op: Op| plan.steps(op).iter().map(step).collect::<Vec<_>>();
    let operations: serde_json::Map<_, _> = Op::ALL.iter().map(|op| (op.to_string(), json!(steps(*op)))).collect();
    let threads = accel::threads(&config);
    let of_cards = |op: Op| plan.cards(op).iter().map(|cost| card(&plan, op, cost, threads)).collect::<Vec<_>>();
    let by_card: serde_json::Map<_, _> = Op::ALL.iter().map(|op| (op.to_string(), json!(of_cards(*op)))).collect();
    let value = json!({ "file": kept.as_ref().ok(), "calibration": measured, "plan": operations, "cards": by_card, "threads": threads });
    let kept = kept.map_or_else(|why| format!("not kept: {why}"), |file| format!("kept in {}", file.display()));
    output.result(in_words(&measured, &plan, threads, &kept), &value);
    Ok(())
}

/// Where it was kept, or why it was not: a node would not keep the figures of a card that failed meanwhile either.
fn keep(measured: &Calibration, file: Option<PathBuf>, cards: &[&Gpu]) -> Result<Result<PathBuf, String>, CliError> {
    let Some(file) = file else { return Ok(Err("there is no data folder (`--data-dir`)".to_owned())) };
    match accel::keep(measured, &file, cards) {
        Ok(()) => Ok(Ok(file)),
        Err(NotKept::File { why, .. }) => Err(CliError::while_doing(format!("cannot write {}", file.display()))(why)),
        Err(other) => Ok(Err(other.to_string())),
    }
}

/// When a card is used, and what it costs.
fn card(plan: &Plan, op: Op, cost: &CardCost, threads: usize) -> serde_json::Value {
    let from = plan.card_from(op, cost.card, threads);
    json!({ "card": cost.card, "from": from, "fixed_ns": cost.fixed_ns, "ns_per_item": cost.ns_per_item })
}

/// One step of a plan.
pub(crate) fn step(step: &vigil_accel::engine::Step) -> serde_json::Value {
    json!({ "from": step.from, "backend": step.backend.map_or("oracle", BackendName::as_str) })
}

/// The file; none without a data folder, unless one is asked for.
fn place(args: &Args, layout: &Layout) -> Result<Option<PathBuf>, CliError> {
    if args.data_dir.is_none() && !layout.config().exists() {
        return Ok(None);
    }
    crate::init::must_be_data_dir(layout)?;
    Ok(Some(layout.calibration()))
}

fn in_words(measured: &Calibration, plan: &Plan, threads: usize, kept: &str) -> String {
    let backends = detect();
    let mut text = format!("{}: microseconds an item, by the number of items\n", measured.machine.cpu);
    for op in Op::ALL {
        text.push_str(&format!("\n{op}: {}\n", plan.in_words(op, threads)));
        text.push_str(&row("items", SIZES.map(|items| items.to_string())));
        for name in [None].into_iter().chain(backends.iter().map(|backend| Some(backend.name()))) {
            let figure = |items| measured.ns(op, name, items).map(|ns| figure(ns / 1000.0)).unwrap_or_default();
            text.push_str(&row(name.map_or("oracle", BackendName::as_str), SIZES.map(figure)));
        }
        for (number, name) in (0..).zip(&measured.machine.cards) {
            let word = |row: &Row| format!("{} at {} items", figure(row.ns_per_item / 1000.0), row.items);
            let words: Vec<String> = measured.of_card(op, number).map(word).collect();
            if !words.is_empty() {
                text.push_str(&format!("  card {name}: {}\n", words.join(", ")));
            }
        }
    }
    text.push_str(&format!("\nTook {} ms; {kept}", measured.took_ms));
    text
}

/// Three digits that count.
fn figure(micros: f64) -> String {
    match micros {
        _ if micros < 1.0 => format!("{micros:.3}"),
        _ if micros < 10.0 => format!("{micros:.2}"),
        _ => format!("{micros:.1}"),
    }
}

fn row(name: &str, columns: [String; SIZES.len()]) -> String {
    let columns: String = columns.iter().map(|column| format!("{column:>7}")).collect();
    format!("  {name:<11}{columns}\n")
}
