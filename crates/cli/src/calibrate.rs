//! `vigil calibrate`: measures the verification engine on this machine and keeps the result for the node.

use crate::{CliError, Globals, Output};
use serde_json::json;
use std::path::{Path, PathBuf};
use vigil_accel::engine::Op;
use vigil_accel::engine::calibrate::{Calibration, SIZES};
use vigil_accel::{BackendName, detect};
use vigil_node::layout::Layout;

/// For which node.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Folder made by `vigil init`, where the result is kept for its node [default: node in the home folder]
    #[arg(long, value_name = "FOLDER")]
    data_dir: Option<PathBuf>,
}

/// Measures.
pub(crate) fn run(args: &Args, globals: &Globals, output: &Output) -> Result<(), CliError> {
    let file = place(args, globals)?;
    if output.is_terminal() {
        output.note("measuring for a few seconds; anything else that runs here disturbs");
    }
    let (backends, cards) = (detect(), vigil_node::accel::usable_cards());
    let measured = Calibration::measure(&backends, &cards, crate::start::COMMIT);
    if let Some(file) = &file {
        measured.write(file).map_err(CliError::while_doing(format!("cannot write {}", file.display())))?;
    }
    let plan = measured.plan(&backends, &cards);
    let steps = |op: Op| plan.steps(op).iter().map(step).collect::<Vec<_>>();
    let operations: serde_json::Map<_, _> = Op::ALL.iter().map(|op| (op.to_string(), json!(steps(*op)))).collect();
    let value = json!({ "file": file, "calibration": measured, "plan": operations });
    output.result(in_words(&measured, file.as_deref()), &value);
    Ok(())
}

/// One step of a plan.
pub(crate) fn step(step: &vigil_accel::engine::Step) -> serde_json::Value {
    json!({ "from": step.from, "backend": step.backend.map_or("oracle", BackendName::as_str) })
}

/// The file; none without a data folder, unless one is asked for.
fn place(args: &Args, globals: &Globals) -> Result<Option<PathBuf>, CliError> {
    let layout: Layout = crate::init::data_dir(args.data_dir.as_ref(), globals)?;
    if args.data_dir.is_none() && !layout.config().exists() {
        return Ok(None);
    }
    crate::init::must_be_data_dir(&layout)?;
    Ok(Some(layout.calibration()))
}

fn in_words(measured: &Calibration, file: Option<&Path>) -> String {
    let backends = detect();
    let plan = measured.plan(&backends, &vigil_node::accel::usable_cards());
    let mut text = format!("{}: microseconds an item, by the number of items\n", measured.machine.cpu);
    for op in Op::ALL {
        text.push_str(&format!("\n{op}: {}\n", plan.in_words(op)));
        text.push_str(&row("items", SIZES.map(|items| items.to_string())));
        for name in [None].into_iter().chain(backends.iter().map(|backend| Some(backend.name()))) {
            let figure = |items| measured.ns(op, name, items).map(|ns| figure(ns / 1000.0)).unwrap_or_default();
            text.push_str(&row(name.map_or("oracle", BackendName::as_str), SIZES.map(figure)));
        }
    }
    let kept = match file {
        Some(file) => format!("kept in {}", file.display()),
        None => "not kept: there is no data folder (`--data-dir`)".to_owned(),
    };
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
