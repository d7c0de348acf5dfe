//! What a component says of itself. The schema of its parameters is not here: it comes from their type.

/// A component's description.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Description {
    /// The component's name.
    pub name: &'static str,
    /// The component's own version; usually `env!("CARGO_PKG_VERSION")`.
    pub version: &'static str,
    /// One sentence.
    pub summary: &'static str,
    /// What it reads.
    pub inputs: Vec<Port>,
    /// What it makes.
    pub outputs: Vec<Port>,
    /// What it asks for; the operator has to grant it.
    pub capabilities: Vec<Capability>,
}

impl Description {
    /// A description without ports and capabilities.
    pub fn new(name: &'static str, version: &'static str, summary: &'static str) -> Self {
        Self { name, version, summary, inputs: Vec::new(), outputs: Vec::new(), capabilities: Vec::new() }
    }

    /// Adds an input.
    #[must_use]
    pub fn input(mut self, port: Port) -> Self {
        self.inputs.push(port);
        self
    }

    /// Adds an output.
    #[must_use]
    pub fn output(mut self, port: Port) -> Self {
        self.outputs.push(port);
        self
    }

    /// Asks for a capability.
    #[must_use]
    pub fn capability(mut self, capability: Capability) -> Self {
        self.capabilities.push(capability);
        self
    }
}

/// A key that a component asks for and an operator grants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Capability {
    /// SQL over the step's own datasets: [`crate::query`].
    Query,
    /// Host-held arrays. Reserved: no host offers it yet.
    Tensor,
    /// Outgoing requests. Reserved: no host offers it yet.
    Http,
    /// The real clock instead of the virtual one.
    Clock,
    /// Real randomness instead of the seeded one.
    Random,
}

/// One named input or output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Port {
    pub(crate) name: &'static str,
    pub(crate) kind: &'static str,
    pub(crate) optional: bool,
    pub(crate) many: bool,
    pub(crate) description: &'static str,
}

impl Port {
    /// An input that must be bound to one artifact of that kind.
    pub fn input(name: &'static str, kind: &'static str) -> Self {
        Self { name, kind, optional: false, many: false, description: "" }
    }

    /// An output of that kind.
    pub fn output(name: &'static str, kind: &'static str) -> Self {
        Self::input(name, kind)
    }

    /// One sentence on it.
    #[must_use]
    pub fn describe(mut self, description: &'static str) -> Self {
        self.description = description;
        self
    }

    /// The input may stay unbound, or its resolver may find nothing.
    #[must_use]
    pub fn optional(mut self) -> Self {
        self.optional = true;
        self
    }

    /// The input may be bound to several artifacts.
    #[must_use]
    pub fn many(mut self) -> Self {
        self.many = true;
        self
    }
}
