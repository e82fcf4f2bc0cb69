//! Memory of one call, summed over everything in its store. (wasmtime's own limiter compares each memory alone.)

use std::sync::{Arc, atomic::Ordering};

use wasmtime::ResourceLimiter;

use crate::{
    engine::{
        COMPONENT_CORE_INSTANCES_MAX, COMPONENT_MEMORIES_MAX, COMPONENT_TABLES_MAX, TABLE_ELEMENTS_MAX,
    },
    metering::{Exceeded, Meter},
};

/// Counts linear memory and table elements of a store. Growing beyond the cap traps: a guest that cannot get memory has
/// no better answer than to abort, and its abort would hide the reason.
#[derive(Debug)]
pub(crate) struct MemoryLimiter {
    bytes: usize,
    bytes_max: usize,
    elements: usize,
    meter: Arc<Meter>,
}

impl MemoryLimiter {
    /// A limiter for one call.
    pub(crate) const fn new(bytes_max: usize, meter: Arc<Meter>) -> Self {
        Self { bytes: 0, bytes_max, elements: 0, meter }
    }
}

impl ResourceLimiter for MemoryLimiter {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let total = self.bytes.saturating_sub(current).saturating_add(desired);
        if total > self.bytes_max {
            return Err(Exceeded::Memory.into());
        }
        self.bytes = total;
        self.meter.memory_peak_bytes.fetch_max(total, Ordering::Relaxed);
        Ok(true)
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let total = self.elements.saturating_sub(current).saturating_add(desired);
        if total > TABLE_ELEMENTS_MAX.saturating_mul(widen(COMPONENT_TABLES_MAX))
            || desired > TABLE_ELEMENTS_MAX
        {
            return Err(Exceeded::Memory.into());
        }
        self.elements = total;
        Ok(true)
    }

    fn instances(&self) -> usize {
        // wasmtime counts the component's instances and the core ones.
        widen(COMPONENT_CORE_INSTANCES_MAX).saturating_mul(2)
    }

    fn tables(&self) -> usize {
        widen(COMPONENT_TABLES_MAX)
    }

    fn memories(&self) -> usize {
        widen(COMPONENT_MEMORIES_MAX)
    }
}

fn widen(count: u32) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_over_memories() {
        let meter = Arc::new(Meter::default());
        let mut limiter = MemoryLimiter::new(100, Arc::clone(&meter));
        assert!(limiter.memory_growing(0, 60, None).is_ok());
        let refused = limiter.memory_growing(0, 50, None).expect_err("60 + 50 is too much");
        assert_eq!(refused.downcast_ref::<Exceeded>(), Some(&Exceeded::Memory));
        assert!(limiter.memory_growing(60, 90, None).is_ok());
        assert_eq!(meter.memory_peak_bytes.load(Ordering::Relaxed), 90);
    }

    #[test]
    fn caps_tables() {
        let mut limiter = MemoryLimiter::new(0, Arc::default());
        assert!(limiter.table_growing(0, TABLE_ELEMENTS_MAX, None).is_ok());
        assert!(limiter.table_growing(0, TABLE_ELEMENTS_MAX + 1, None).is_err());
    }
}
