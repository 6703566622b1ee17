//! Names the systems that have a fault guard (`src/fault`), and does what napi-rs needs.

fn main() {
    println!("cargo::rustc-check-cfg=cfg(fault_guard)");
    let system = std::env::var("CARGO_CFG_TARGET_OS").unwrap_or_default();
    if ["linux", "android", "macos", "freebsd", "windows"].contains(&system.as_str()) {
        println!("cargo::rustc-cfg=fault_guard");
    }
    napi_build::setup();
}
