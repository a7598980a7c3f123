//! Kernels, built.

use super::device::Wgpu;
use super::shaders::{Arithmetic, Shader};
use crate::gpu::card::{Fault, Kernel};
use std::sync::OnceLock;
use std::time::Instant;
use wgpu::{
    BindGroupLayout, BindGroupLayoutDescriptor, BindGroupLayoutEntry, BindingType, BufferBindingType, ComputePipeline,
    ComputePipelineDescriptor, Device, PipelineCompilationOptions, PipelineLayoutDescriptor, ShaderModuleDescriptor,
    ShaderSource, ShaderStages,
};

/// Threads of a group.
pub(super) const GROUP: usize = 64;
/// Where the parameters are bound, behind eight places.
pub(super) const PARAMETERS: u32 = 8;

/// A kernel that can be launched.
#[derive(Debug)]
pub(super) struct Built {
    pub(super) pipeline: ComputePipeline,
    pub(super) layout: BindGroupLayout,
    /// Buffers that it takes.
    pub(super) places: usize,
}

/// The kernels of a device, each built at most once.
#[derive(Debug)]
pub(super) struct Pipelines {
    arithmetic: Arithmetic,
    built: [OnceLock<Result<Built, Fault>>; Kernel::ALL.len()],
}

impl Pipelines {
    pub(super) fn new(arithmetic: Arithmetic) -> Self {
        Self { arithmetic, built: Default::default() }
    }

    /// The kernel; builds it if nobody did.
    pub(super) fn get(&self, card: &Wgpu, kernel: Kernel) -> Result<&Built, Fault> {
        let missing = || Fault::Build { kernel: kernel.name(), reason: "there is none in WGSL".to_owned() };
        let (shader, built) = Shader::of(kernel).zip(self.built.get(kernel as usize)).ok_or_else(missing)?;
        built.get_or_init(|| build(card, &shader, self.arithmetic)).as_ref().map_err(Clone::clone)
    }
}

/// Builds a shader.
pub(super) fn build(card: &Wgpu, shader: &Shader, arithmetic: Arithmetic) -> Result<Built, Fault> {
    let begun = Instant::now();
    let built = card.heard(|device| make(device, shader, arithmetic));
    tracing::debug!(card = card.info.name, kernel = shader.name, took = ?begun.elapsed(), "kernel built");
    built.map_err(|error| Fault::Build { kernel: shader.name, reason: error.to_string() })
}

fn make(device: &Device, shader: &Shader, arithmetic: Arithmetic) -> Built {
    let source = ShaderSource::Wgsl(shader.source(arithmetic).into());
    let module = device.create_shader_module(ShaderModuleDescriptor { label: Some(shader.name), source });
    let storage = |writes: &bool| BufferBindingType::Storage { read_only: !writes };
    let mut entries: Vec<_> = (0..).zip(shader.writes).map(|(place, writes)| entry(place, storage(writes))).collect();
    entries.push(entry(PARAMETERS, BufferBindingType::Uniform));
    let descriptor = BindGroupLayoutDescriptor { label: Some(shader.name), entries: &entries };
    let layout = device.create_bind_group_layout(&descriptor);
    let pipeline_layout = device.create_pipeline_layout(&PipelineLayoutDescriptor {
        label: Some(shader.name),
        bind_group_layouts: &[Some(&layout)],
        immediate_size: 0,
    });
    let pipeline = device.create_compute_pipeline(&ComputePipelineDescriptor {
        label: Some(shader.name),
        layout: Some(&pipeline_layout),
        module: &module,
        entry_point: Some(shader.name),
        compilation_options: PipelineCompilationOptions::default(),
        cache: None,
    });
    Built { pipeline, layout, places: shader.writes.len() }
}

fn entry(binding: u32, ty: BufferBindingType) -> BindGroupLayoutEntry {
    let ty = BindingType::Buffer { ty, has_dynamic_offset: false, min_binding_size: None };
    BindGroupLayoutEntry { binding, visibility: ShaderStages::COMPUTE, ty, count: None }
}
