//! Whole networks in one process, virtual time, seeded faults and liars.
#![forbid(unsafe_code)]

fn main() -> std::process::ExitCode {
    vigil_sim::cli::main()
}
