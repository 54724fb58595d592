//! What is read off the machine: CPU time and memory of process trees, and who else used the processors meanwhile.

pub(crate) mod cpu;
pub(crate) mod machine;
pub(crate) mod memory;
pub(crate) mod tree;
