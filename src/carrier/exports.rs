//! Which buffers of a mapping JavaScript can still reach: `close()` must detach them all.

use napi::Env;
use napi::bindgen_prelude::Unknown;

use crate::weak::Weak;

/// Below this many, dead references are not worth a look.
const SMALLEST: usize = 64;

/// Weak references to buffers, in the order of their making.
#[derive(Default)]
pub struct Exports {
    references: Vec<Weak>,
    sweep_at: usize,
}

impl Exports {
    /// Remembers a buffer as long as it lives.
    pub fn add(&mut self, env: &Env, buffer: &Unknown<'_>) {
        if self.references.len() >= self.sweep_at.max(SMALLEST) {
            self.references.retain(|weak| {
                let lives = weak.get(env).is_some();
                if !lives {
                    weak.delete(env);
                }
                lives
            });
            self.sweep_at = self.references.len() * 2;
        }
        self.references.extend(Weak::new(env, buffer));
    }

    /// Hands out what still lives, and forgets everything.
    pub fn take<'env>(&mut self, env: &'env Env) -> Vec<Unknown<'env>> {
        let living = self
            .references
            .iter()
            .filter_map(|weak| weak.get(env))
            .collect();
        self.forget(env);
        living
    }

    /// The mapping was collected: its buffers look after themselves.
    pub fn forget(&mut self, env: &Env) {
        for weak in self.references.drain(..) {
            weak.delete(env);
        }
    }
}
