//! Compiles the host twin of the kernels, if the feature `host-twin` asks for it.

use std::path::Path;

fn main() {
    let sources = Path::new("../../kernels/cuda");
    println!("cargo:rerun-if-changed={}", sources.display());
    let wanted = std::env::var_os("CARGO_FEATURE_HOST_TWIN").is_some();
    let machine = std::env::var("CARGO_CFG_TARGET_ARCH").expect("cargo names the machine");
    if !wanted || machine != "x86_64" {
        return;
    }
    cc::Build::new()
        .cpp(true)
        .std("c++17")
        .opt_level(3)
        .flags(["-fno-exceptions", "-fno-rtti"])
        // No part of C++ that needs its library.
        .cpp_link_stdlib(None)
        .file(sources.join("twin.cpp"))
        .compile("vigil_kernels_twin");
}
