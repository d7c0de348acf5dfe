//! A small builder of ONNX graphs. Shapes are `[N, columns]` throughout; N is the number of rows of a batch.

use crate::error::OnnxError;
use crate::network::Network;
use crate::proto::{
    AttributeProto, AttributeType, DataType, DimensionProto, GraphProto, IR_VERSION, ML_DOMAIN, ML_OPSET, ModelProto,
    NodeProto, OPSET, OperatorSetIdProto, StringStringEntryProto, TensorProto, TensorShapeProto, TensorTypeProto,
    TypeProto, ValueInfoProto,
};
use prost::Message;
use std::collections::BTreeSet;

/// Output of a transform, and an inner value of every model: the D model inputs.
pub const FEATURES: &str = "features";
/// Output of a model: one number a class, before softmax.
pub const LOGITS: &str = "logits";
/// Output of a model: softmax of the logits.
pub const PROBABILITIES: &str = "probabilities";

/// Whether a model file keeps this name for itself, so that no raw column may have it. Inner values of a transform begin with `/`.
pub fn is_reserved(name: &str) -> bool {
    let layer = name.strip_prefix(['w', 'b']).is_some_and(|n| !n.is_empty() && n.bytes().all(|c| c.is_ascii_digit()));
    layer || name.is_empty() || name.starts_with('/') || [FEATURES, LOGITS, PROBABILITIES].contains(&name)
}

/// Builds a graph node by node; [`GraphBuilder::finish`] checks it.
pub struct GraphBuilder {
    graph: GraphProto,
}

impl GraphBuilder {
    /// An empty graph.
    pub fn new(name: &str) -> Self {
        Self { graph: GraphProto { name: Some(name.to_owned()), ..GraphProto::default() } }
    }

    /// Goes on from another model's graph: its inputs, constants and nodes stay, its outputs become inner values.
    pub fn append_to(model: ModelProto, name: &str) -> Result<Self, OnnxError> {
        let graph = model.graph.ok_or_else(|| OnnxError::Unsupported("the model holds no graph".into()))?;
        Ok(Self { graph: GraphProto { name: Some(name.to_owned()), output: Vec::new(), ..graph } })
    }

    /// Declares an input of shape `[N, columns]`.
    pub fn input(&mut self, name: &str, element: DataType, columns: usize) {
        self.graph.input.push(value_info(name, element, columns));
    }

    /// Declares that a value of shape `[N, columns]` is an output.
    pub fn output(&mut self, name: &str, element: DataType, columns: usize) {
        self.graph.output.push(value_info(name, element, columns));
    }

    /// Adds a float constant.
    pub fn floats(&mut self, name: &str, dims: &[usize], values: &[f32]) {
        self.constant(name, DataType::Float, dims, values.iter().flat_map(|v| v.to_le_bytes()).collect());
    }

    /// Adds a double constant.
    pub fn doubles(&mut self, name: &str, dims: &[usize], values: &[f64]) {
        self.constant(name, DataType::Double, dims, values.iter().flat_map(|v| v.to_le_bytes()).collect());
    }

    /// Adds an integer constant.
    pub fn integers(&mut self, name: &str, dims: &[usize], values: &[i64]) {
        self.constant(name, DataType::Int64, dims, values.iter().flat_map(|v| v.to_le_bytes()).collect());
    }

    fn constant(&mut self, name: &str, element: DataType, dims: &[usize], raw: Vec<u8>) {
        self.graph.initializer.push(TensorProto {
            name: Some(name.to_owned()),
            dims: dims.iter().map(|d| *d as i64).collect(),
            data_type: Some(element as i32),
            raw_data: Some(raw),
            ..TensorProto::default()
        });
    }

    /// Adds a node with one output, which also names the node. `LabelEncoder` goes to its own operator set.
    pub fn node(&mut self, operator: &str, inputs: &[&str], output: &str, attributes: Vec<AttributeProto>) {
        let domain = (operator == "LabelEncoder").then(|| ML_DOMAIN.to_owned());
        self.graph.node.push(NodeProto {
            input: inputs.iter().map(|i| (*i).to_owned()).collect(),
            output: vec![output.to_owned()],
            name: Some(output.to_owned()),
            op_type: Some(operator.to_owned()),
            attribute: attributes,
            domain,
        });
    }

    /// Adds the layers of a network after the value [`FEATURES`], and the outputs [`LOGITS`] and [`PROBABILITIES`].
    pub fn network(&mut self, network: &Network) {
        let last = network.layers.len();
        let mut from = FEATURES.to_owned();
        for (layer, n) in network.layers.iter().zip(1..) {
            let (w, b) = (format!("w{n}"), format!("b{n}"));
            self.floats(&w, layer.w.shape(), &layer.w.iter().copied().collect::<Vec<_>>());
            self.floats(&b, layer.b.shape(), &layer.b.to_vec());
            let to = if n == last { LOGITS.to_owned() } else { format!("/layer {n}/sum") };
            self.node("Gemm", &[&from, &w, &b], &to, Vec::new());
            from = to;
            if n < last {
                let to = format!("/layer {n}/hidden");
                self.node("Relu", &[&from], &to, Vec::new());
                from = to;
            }
        }
        self.node("Softmax", &[LOGITS], PROBABILITIES, vec![integer("axis", -1)]);
        self.output(LOGITS, DataType::Float, network.classes());
        self.output(PROBABILITIES, DataType::Float, network.classes());
    }

    /// The model, once every name has exactly one origin and every node comes after what it reads.
    pub fn finish(self, metadata: &[(&str, &str)]) -> Result<ModelProto, OnnxError> {
        check(&self.graph)?;
        let opset =
            |domain: &str, version| OperatorSetIdProto { domain: Some(domain.to_owned()), version: Some(version) };
        let entry = |(key, value): &(&str, &str)| StringStringEntryProto {
            key: Some((*key).to_owned()),
            value: Some((*value).to_owned()),
        };
        Ok(ModelProto {
            ir_version: Some(IR_VERSION),
            producer_name: Some("countersign".to_owned()),
            producer_version: Some(env!("CARGO_PKG_VERSION").to_owned()),
            graph: Some(self.graph),
            opset_import: vec![opset("", OPSET), opset(ML_DOMAIN, ML_OPSET)],
            metadata_props: metadata.iter().map(entry).collect(),
        })
    }
}

/// The file's bytes. The same model gives the same bytes.
pub fn encode(model: &ModelProto) -> Vec<u8> {
    model.encode_to_vec()
}

/// Reads a file's bytes.
pub fn decode(bytes: &[u8]) -> Result<ModelProto, OnnxError> {
    Ok(ModelProto::decode(bytes)?)
}

/// An integer attribute.
pub fn integer(name: &str, value: i64) -> AttributeProto {
    AttributeProto { i: Some(value), ..attribute(name, AttributeType::Int) }
}

/// An attribute of several integers.
pub fn integer_list(name: &str, values: Vec<i64>) -> AttributeProto {
    AttributeProto { ints: values, ..attribute(name, AttributeType::Ints) }
}

/// An attribute of several texts.
pub fn text_list(name: &str, values: &[String]) -> AttributeProto {
    let strings = values.iter().map(|v| v.clone().into_bytes()).collect();
    AttributeProto { strings, ..attribute(name, AttributeType::Strings) }
}

fn attribute(name: &str, kind: AttributeType) -> AttributeProto {
    AttributeProto { name: Some(name.to_owned()), r#type: Some(kind as i32), ..AttributeProto::default() }
}

fn value_info(name: &str, element: DataType, columns: usize) -> ValueInfoProto {
    let rows = DimensionProto { dim_value: None, dim_param: Some("N".to_owned()) };
    let columns = DimensionProto { dim_value: Some(columns as i64), dim_param: None };
    let shape = Some(TensorShapeProto { dim: vec![rows, columns] });
    let tensor_type = Some(TensorTypeProto { elem_type: Some(element as i32), shape });
    ValueInfoProto { name: Some(name.to_owned()), r#type: Some(TypeProto { tensor_type }) }
}

fn check(graph: &GraphProto) -> Result<(), OnnxError> {
    let mut known = BTreeSet::new();
    let inputs = graph.input.iter().map(|i| i.name());
    for name in inputs.chain(graph.initializer.iter().map(|i| i.name())) {
        define(&mut known, name)?;
    }
    for node in &graph.node {
        for name in &node.input {
            if !known.contains(name.as_str()) {
                let reason = format!("node `{}` reads `{name}`, which nothing before it makes", node.name());
                return Err(OnnxError::Graph(reason));
            }
        }
        for name in &node.output {
            define(&mut known, name)?;
        }
    }
    match graph.output.iter().find(|o| !known.contains(o.name())) {
        Some(output) => Err(OnnxError::Graph(format!("nothing makes the output `{}`", output.name()))),
        None => Ok(()),
    }
}

fn define<'a>(known: &mut BTreeSet<&'a str>, name: &'a str) -> Result<(), OnnxError> {
    if known.insert(name) { Ok(()) } else { Err(OnnxError::Graph(format!("two values are named `{name}`"))) }
}
