//! The only file that makes JavaScript errors. Below it everything is a [`Fail`].

use std::io;

use napi::bindgen_prelude::{JsObjectValue, JsValue, Object};
use napi::{Env, Error, Status};

use crate::errno::{self, code};

/// What went wrong, before it is a JavaScript error; `Send`, so that a task can bring it back from another thread.
#[derive(Debug)]
pub enum Fail {
    /// A system call failed.
    System {
        /// This system's errno (libuv's number on Windows).
        errno: i32,
        /// The name of the call, as Node's `syscall`.
        syscall: &'static str,
        /// The file, where there is one.
        path: Option<String>,
        /// What to do about it, appended to the message.
        hint: Option<&'static str>,
    },
    /// A Node-style error with a code and no errno.
    Coded {
        /// `ERR_…`
        code: &'static str,
        /// Which class: `RangeError` for a number out of range, else `Error`.
        range: bool,
        /// The message.
        message: String,
    },
}

/// Results below `mapping.rs`.
pub type Outcome<T> = std::result::Result<T, Fail>;

impl Fail {
    /// A failed system call with a known errno.
    pub fn system(errno: i32, syscall: &'static str) -> Self {
        Self::System {
            errno,
            syscall,
            path: None,
            hint: None,
        }
    }

    /// A failed system call, from what `std` made of its errno.
    pub fn io(error: &io::Error, syscall: &'static str) -> Self {
        let errno = match error.raw_os_error() {
            Some(raw) => crate::os::errno_of(raw),
            None => errno_of_kind(error.kind()),
        };
        Self::system(errno, syscall)
    }

    /// The errno of the last failed call on this thread.
    pub fn last(syscall: &'static str) -> Self {
        Self::io(&io::Error::last_os_error(), syscall)
    }

    /// Use of a mapping after `close()`.
    pub fn closed() -> Self {
        Self::Coded {
            code: "ERR_INVALID_STATE",
            range: false,
            message: "Invalid state: the mapping is closed".into(),
        }
    }

    /// A position or length that the mapping or file does not have.
    pub fn out_of_range(message: String) -> Self {
        Self::Coded {
            code: "ERR_OUT_OF_RANGE",
            range: true,
            message,
        }
    }

    /// Names the file.
    pub fn at(mut self, file: Option<&str>) -> Self {
        if let Self::System { path, .. } = &mut self {
            *path = file.map(str::to_owned);
        }
        self
    }

    /// Says what to do about it.
    pub fn hint(mut self, text: &'static str) -> Self {
        if let Self::System { hint, .. } = &mut self {
            *hint = Some(text);
        }
        self
    }

    /// The errno, for callers that try another way.
    pub fn errno(&self) -> Option<i32> {
        match self {
            Self::System { errno, .. } => Some(*errno),
            Self::Coded { .. } => None,
        }
    }

    /// The JavaScript error, looking like Node's own: `EACCES: permission denied, mmap 'file'`.
    pub fn into_js(self, env: &Env) -> Error {
        match build(self, env) {
            Ok(object) => Error::from(object.to_unknown()),
            Err(error) => error,
        }
    }
}

fn build(fail: Fail, env: &Env) -> napi::Result<Object<'_>> {
    match fail {
        Fail::Coded {
            code,
            range,
            message,
        } => {
            let class = if range { "RangeError" } else { "Error" };
            let constructor: napi::bindgen_prelude::Function<'_, String, ()> =
                env.get_global()?.get_named_property(class)?;
            let mut object: Object<'_> = constructor.new_instance(message)?.coerce_to_object()?;
            object.set("code", code)?;
            Ok(object)
        }
        Fail::System {
            errno,
            syscall,
            path,
            hint,
        } => {
            let row = errno::describe(errno);
            let (name, text, uv) = row
                .as_ref()
                .map_or(("UNKNOWN", "unknown error", -4094), |row| {
                    (row.name, row.message, row.uv)
                });
            // libuv's ENOTSUP speaks of sockets only; ours never does.
            let text = if name == "ENOTSUP" {
                "operation not supported"
            } else {
                text
            };
            let file = path
                .as_ref()
                .map_or_else(String::new, |path| format!(" '{path}'"));
            let hint = hint.map_or_else(String::new, |hint| format!(" ({hint})"));
            let mut object = env.create_error(Error::new(
                Status::GenericFailure,
                format!("{name}: {text}, {syscall}{file}{hint}"),
            ))?;
            object.set("code", name)?;
            object.set("errno", uv)?;
            object.set("syscall", syscall)?;
            if let Some(path) = path {
                object.set("path", path)?;
            }
            Ok(object)
        }
    }
}

fn errno_of_kind(kind: io::ErrorKind) -> i32 {
    match kind {
        io::ErrorKind::NotFound => code::ENOENT,
        io::ErrorKind::PermissionDenied => code::EACCES,
        io::ErrorKind::AlreadyExists => code::EEXIST,
        io::ErrorKind::OutOfMemory => code::ENOMEM,
        io::ErrorKind::Unsupported => code::ENOTSUP,
        _ => code::EINVAL,
    }
}
