//! Each rule can be broken, and then it is seen.
