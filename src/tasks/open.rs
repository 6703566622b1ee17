//! `MappedFile.open`.

use std::sync::Arc;

use napi::{Env, Task};

use crate::error::Outcome;
use crate::mapping::NativeMapping;
use crate::open;
use crate::region::Region;
use crate::request::Request;

/// Opens and maps on another thread.
pub struct OpenTask(pub Request);

impl Task for OpenTask {
    type Output = Outcome<Arc<Region>>;
    type JsValue = NativeMapping;

    fn compute(&mut self) -> napi::Result<Self::Output> {
        Ok(open::open(&self.0))
    }

    fn resolve(&mut self, env: Env, output: Self::Output) -> napi::Result<Self::JsValue> {
        output
            .map(NativeMapping::new)
            .map_err(|fail| fail.into_js(&env))
    }
}
