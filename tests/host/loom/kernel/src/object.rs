// SPDX-License-Identifier: GPL-2.0

//! Loom's atomics where the kernel has words: in statics, made by a const function, and in C's
//! structures.
//!
//! Loom's cannot be made by a const function, and live for one execution of a model. So a word only
//! says where it is; its object is made on its first use in an execution. The model has to use each
//! one before it starts a second thread.

use loom::sync::atomic::{
    AtomicBool,
    AtomicI32,
    AtomicI64,
    AtomicU32,
    AtomicU64,
    Ordering, //
};
use std::{
    any::Any,
    collections::HashMap,
    ptr::from_ref,
    sync::{
        Arc,
        Mutex,
        PoisonError, //
    },
};

loom::lazy_static! {
    static ref OBJECTS: Mutex<HashMap<usize, Arc<dyn Any + Send + Sync>>> = Mutex::default();
}

/// A value that loom has an atomic of.
pub trait Value: Copy + 'static {
    type Object: Send + Sync + 'static;

    fn object(self) -> Self::Object;
    fn load(object: &Self::Object, ordering: Ordering) -> Self;
    fn store(object: &Self::Object, value: Self, ordering: Ordering);
    fn cmpxchg(
        object: &Self::Object,
        old: Self,
        new: Self,
        ordering: Ordering,
    ) -> Result<Self, Self>;
}

macro_rules! value {
    ($($type:ty => $object:ty),*) => {$(
        impl Value for $type {
            type Object = $object;

            fn object(self) -> $object {
                <$object>::new(self)
            }

            fn load(object: &$object, ordering: Ordering) -> $type {
                object.load(ordering)
            }

            fn store(object: &$object, value: $type, ordering: Ordering) {
                object.store(value, ordering);
            }

            fn cmpxchg(
                object: &$object,
                old: $type,
                new: $type,
                ordering: Ordering,
            ) -> Result<$type, $type> {
                let failure = match ordering {
                    Ordering::Acquire => Ordering::Acquire,
                    _ => Ordering::Relaxed,
                };
                object.compare_exchange(old, new, ordering, failure)
            }
        }
    )*};
}

value!(bool => AtomicBool, i32 => AtomicI32, i64 => AtomicI64, u32 => AtomicU32, u64 => AtomicU64);

/// Returns the object of the word at `address`, which has the value `first` until it is written.
pub fn object<T: Value>(address: usize, first: T) -> Arc<T::Object> {
    let found = OBJECTS
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .get(&address)
        .cloned();

    let object = found.unwrap_or_else(|| {
        let object: Arc<dyn Any + Send + Sync> = Arc::new(first.object());
        OBJECTS
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(address, object.clone());
        object
    });
    object.downcast().expect("one word, one type")
}

/// `kernel::sync::atomic::Atomic`.
pub struct Atomic<T>(T);

impl<T: Value> Atomic<T> {
    pub const fn new(first: T) -> Self {
        Self(first)
    }

    fn object(&self) -> Arc<T::Object> {
        object(from_ref(self).addr(), self.0)
    }

    pub fn load(&self, ordering: Ordering) -> T {
        T::load(&self.object(), ordering)
    }

    pub fn store(&self, value: T, ordering: Ordering) {
        T::store(&self.object(), value, ordering);
    }

    pub fn cmpxchg(&self, old: T, new: T, ordering: Ordering) -> Result<T, T> {
        T::cmpxchg(&self.object(), old, new, ordering)
    }
}

impl Atomic<u64> {
    pub fn xchg(&self, value: u64, ordering: Ordering) -> u64 {
        self.object().swap(value, ordering)
    }
}
