//! The memory of a process, and the middle of several such figures.

use std::fmt;
use std::ops::{Div, Sub};

/// The memory of a process, in bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Memory {
    /// The bytes that were allocated and not freed, as requested.
    pub allocated: i64,
    /// The bytes that it alone has in memory (`Private_Dirty`): with those that the allocator adds and keeps, and without those that were
    /// allocated and never written.
    pub private: i64,
    /// All that it has in memory (`Rss`).
    pub resident: i64,
}

impl Memory {
    /// The middle one of several, for each figure.
    ///
    /// # Panics
    ///
    /// If there is none.
    pub fn median(of: &[Self]) -> Self {
        Self::each(|figure| {
            let mut figures: Vec<_> = of.iter().map(figure).collect();
            figures.sort_unstable();
            figures[figures.len() / 2]
        })
    }

    /// Their mean.
    pub fn mean(of: &[Self]) -> Self {
        Self::each(|figure| of.iter().map(figure).sum::<i64>() / of.len() as i64)
    }

    /// Returns the standard error of their mean.
    pub fn error(of: &[Self]) -> Self {
        let mean = Self::mean(of);
        Self::each(|figure| {
            let squares = of.iter().map(|one| (figure(one) - figure(&mean)).pow(2)).sum::<i64>();
            (squares as f64 / (of.len() as f64 - 1.0).max(1.0) / of.len() as f64).sqrt() as i64
        })
    }

    fn each(of: impl Fn(fn(&Self) -> i64) -> i64) -> Self {
        Self {
            allocated: of(|memory| memory.allocated),
            private: of(|memory| memory.private),
            resident: of(|memory| memory.resident),
        }
    }
}

impl Sub for Memory {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self {
            allocated: self.allocated - other.allocated,
            private: self.private - other.private,
            resident: self.resident - other.resident,
        }
    }
}

impl Div<usize> for Memory {
    type Output = Self;

    fn div(self, count: usize) -> Self {
        let count = count as i64;
        Self {
            allocated: self.allocated / count,
            private: self.private / count,
            resident: self.resident / count,
        }
    }
}

impl fmt::Display for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { allocated, private, resident } = self;
        write!(f, "{allocated:>8} B allocated {private:>8} B private {resident:>8} B resident")
    }
}
