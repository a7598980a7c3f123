//! Wiring: the run loop, shutdown, configuration.
#![forbid(unsafe_code)]
