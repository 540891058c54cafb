//! Sets `cfg(model)` for this crate alone, so that nothing else is built anew.
fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    for model in ["loom", "shuttle"] {
        if std::env::var_os(format!("CARGO_FEATURE_{}", model.to_uppercase())).is_some() {
            println!("cargo:rustc-cfg=model=\"{model}\"");
        }
    }
}
