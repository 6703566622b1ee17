//! `Mapping.flush`.

use std::sync::Arc;

use napi::{Env, Task};

use crate::error::Outcome;
use crate::region::Region;

/// Makes a range durable on another thread; the `Arc` keeps its pages while it works.
pub struct FlushTask {
    /// Whose bytes.
    pub region: Arc<Region>,
    /// From the user's first byte.
    pub position: usize,
    /// In bytes.
    pub length: usize,
    /// `MS_SYNC` and fsync instead of `MS_ASYNC`.
    pub wait: bool,
    /// `MS_INVALIDATE`.
    pub invalidate: bool,
}

impl Task for FlushTask {
    type Output = Outcome<()>;
    type JsValue = ();

    fn compute(&mut self) -> napi::Result<Self::Output> {
        Ok(self
            .region
            .flush(self.position, self.length, self.wait, self.invalidate))
    }

    fn resolve(&mut self, env: Env, output: Self::Output) -> napi::Result<()> {
        output.map_err(|fail| fail.into_js(&env))
    }
}
