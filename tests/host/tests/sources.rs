// SPDX-License-Identifier: GPL-2.0

//! What the pure files may contain, apart from what the compiler says of them in `src/lib.rs`.
//!
//! That compiles them without `std`, without the module and without `unsafe`; but not what they
//! would keep for the kernel alone. So nothing may be conditional on where they are compiled,
//! except their tests.

const FILES: [(&str, &str); 6] = [
    ("units.rs", include_str!("../../../rust/units.rs")),
    ("rate.rs", include_str!("../../../rust/clock/rate.rs")),
    ("ratio.rs", include_str!("../../../rust/clock/ratio.rs")),
    (
        "deadline.rs",
        include_str!("../../../rust/clock/deadline.rs"),
    ),
    (
        "frequency.rs",
        include_str!("../../../rust/clock/frequency.rs"),
    ),
    ("margin.rs", include_str!("../../../rust/clock/margin.rs")),
];

/// The only conditions, one of each, directly before `mod tests`.
const CONDITIONS: [&str; 2] = [
    "#[cfg(any(test, CONFIG_KUNIT = \"y\"))]",
    "#[cfg_attr(CONFIG_KUNIT = \"y\", kernel::prelude::kunit_tests(",
];

/// What only the tests use is not to be warned of elsewhere. This changes no code.
const UNUSED: &str = "#[cfg_attr(not(test), allow(dead_code))]";

/// Says what is wrong with a source, line by line.
fn faults(source: &str) -> Vec<String> {
    let mut faults = Vec::new();
    let lines: Vec<&str> = source.lines().collect();

    for (number, line) in lines.iter().enumerate() {
        let code = line.split("//").next().unwrap_or_default().trim();
        let allowed = CONDITIONS
            .iter()
            .position(|condition| code.starts_with(condition))
            .is_some_and(|ahead| lines.get(number + 2 - ahead) == Some(&"mod tests {"))
            || code == UNUSED;

        for word in [
            "unsafe", "cfg", "kernel::", "crate::", "std::", "extern", "include", "macro",
        ] {
            if code.contains(word) && !allowed {
                faults.push(format!("{}: {word}: {line}", number + 1));
            }
        }
    }
    faults
}

#[test]
fn pure_files_are_pure() {
    for (name, source) in FILES {
        assert!(source.starts_with("// SPDX-License-Identifier: GPL-2.0\n"));
        assert_eq!(faults(source), Vec::<String>::new(), "{name}");
        assert!(source.matches("\nmod tests {").count() <= 1, "{name}");
    }
}

#[test]
fn impure_files_are_found() {
    for impure in [
        "use kernel::prelude::*;",
        "let x = unsafe { *y };",
        "use crate::stats;",
        "#[cfg(CONFIG_KUNIT = \"y\")]\nfn hidden() {}",
        "#[cfg(any(test, CONFIG_KUNIT = \"y\"))]\n\nmod other {",
        "include!(\"other.rs\");",
        "#[cfg_attr(not(test), allow(dead_code))] use crate::stats;",
    ] {
        assert!(!faults(impure).is_empty(), "{impure}");
    }
}
