//! CPU seconds of this process or of its ended children, from the operating system's own accounting.

/// Whose CPU time.
#[derive(Clone, Copy)]
pub enum Whose {
    /// This process.
    Own,
    /// Children that ended and were waited for.
    Children,
}

/// User and system CPU time in milliseconds.
pub fn cpu_ms(whose: Whose) -> f64 {
    let who = match whose {
        Whose::Own => libc::RUSAGE_SELF,
        Whose::Children => libc::RUSAGE_CHILDREN,
    };
    // SAFETY: an all-zero rusage is a valid value, and getrusage only writes into it.
    let usage = unsafe {
        let mut usage: libc::rusage = std::mem::zeroed();
        libc::getrusage(who, &raw mut usage);
        usage
    };
    let ms = |time: libc::timeval| time.tv_sec as f64 * 1e3 + time.tv_usec as f64 / 1e3;
    ms(usage.ru_utime) + ms(usage.ru_stime)
}
