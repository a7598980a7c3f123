//! The shaders as naga sees them: no card needed.

use crate::gpu::card::Kernel;
use crate::gpu::wgpu::shaders::{Arithmetic, Shader};
use naga::valid::{Capabilities, ValidationFlags, Validator};

fn check(shader: &Shader, arithmetic: Arithmetic) {
    let source = shader.source(arithmetic);
    let module = naga::front::wgsl::parse_str(&source)
        .unwrap_or_else(|error| panic!("{} in {arithmetic:?}: {}", shader.name, error.emit_to_string(&source)));
    let capabilities = match arithmetic {
        Arithmetic::Int64 => Capabilities::SHADER_INT64,
        Arithmetic::Plain => Capabilities::empty(),
    };
    Validator::new(ValidationFlags::all(), capabilities)
        .validate(&module)
        .unwrap_or_else(|error| panic!("{} in {arithmetic:?}: {}", shader.name, error.emit_to_string(&source)));
    let names: Vec<_> = module.entry_points.iter().map(|entry| entry.name.as_str()).collect();
    assert_eq!(names, [shader.name], "one entry point");
    let places =
        module.global_variables.iter().filter(|(_, global)| matches!(global.space, naga::AddressSpace::Storage { .. }));
    assert_eq!(places.count(), shader.writes.len(), "places of {}", shader.name);
}

#[test]
fn every_shader_is_valid() {
    for arithmetic in [Arithmetic::Int64, Arithmetic::Plain] {
        for kernel in Kernel::ALL {
            check(&Shader::of(kernel).expect("one of the operations"), arithmetic);
        }
        check(&Shader::trial(), arithmetic);
    }
}
