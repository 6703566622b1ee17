//! `SharedMemory.create` and `open`.

use std::sync::Arc;

use napi::{Env, Task};

use crate::error::Outcome;
use crate::mapping::NativeMapping;
use crate::os::Access;
use crate::region::Region;
use crate::shared_memory;

/// What is to be done on another thread.
pub enum SharedWork {
    /// Make an object, or open it where that is allowed.
    Create {
        /// With its slash.
        name: String,
        /// In bytes.
        length: u64,
        /// Permissions.
        mode: u32,
        /// It must not be there.
        exclusive: bool,
    },
    /// Open an object.
    Open {
        /// With its slash.
        name: String,
        /// Read or write.
        access: Access,
    },
}

/// The task.
pub struct SharedTask(pub SharedWork);

impl Task for SharedTask {
    type Output = Outcome<Arc<Region>>;
    type JsValue = NativeMapping;

    fn compute(&mut self) -> napi::Result<Self::Output> {
        Ok(match &self.0 {
            SharedWork::Create {
                name,
                length,
                mode,
                exclusive,
            } => shared_memory::create(name, *length, *mode, *exclusive),
            SharedWork::Open { name, access } => shared_memory::open(name, *access),
        })
    }

    fn resolve(&mut self, env: Env, output: Self::Output) -> napi::Result<Self::JsValue> {
        output
            .map(NativeMapping::new)
            .map_err(|fail| fail.into_js(&env))
    }
}
