// SPDX-License-Identifier: GPL-2.0

//! What C calls: the exported functions' bodies, and the shim's ways back.
//!
//! C header: [`c/shim.h`](../../c/shim.h), whose prototypes the functions are checked against.

/// Defines functions for C, each of which has the very type of its prototype in the shim's header.
macro_rules! entries {
    ($($(#[$meta:meta])* fn $name:ident($($arg:ident: $type:ty),*) $(-> $ret:ty)? $body:block)*) => {
        $(
            $(#[$meta])*
            #[no_mangle]
            unsafe extern "C" fn $name($($arg: $type),*) $(-> $ret)? $body

            const _: () = {
                let mut _prototype: unsafe extern "C" fn($($type),*) $(-> $ret)? = bindings::$name;
                _prototype = $name;
            };
        )*
    };
}

mod clock;
mod debugfs;
mod exports;
mod kvm;
mod pass;
