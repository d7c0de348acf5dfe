//! Reads a plan's partitions one after another.
//!
//! Even on one core a UNION ALL has a partition for each of its inputs, and the engine's own merge takes rows as they come.

use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode, TreeNodeRecursion};
use datafusion::common::{Result, internal_err};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_plan::coalesce_partitions::CoalescePartitionsExec;
use datafusion::physical_plan::limit::LimitStream;
use datafusion::physical_plan::metrics::{BaselineMetrics, ExecutionPlanMetricsSet};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties, PlanProperties, ReplaceChildrenOptions,
};
use futures::{StreamExt, TryStreamExt};
use std::fmt;
use std::sync::Arc;

/// The same plan with every merge of partitions in a fixed order, and a single partition at the root.
pub(crate) fn in_fixed_order(plan: Arc<dyn ExecutionPlan>) -> Result<Arc<dyn ExecutionPlan>> {
    let plan = plan
        .transform_up(|node| match node.downcast_ref::<CoalescePartitionsExec>() {
            Some(merge) => Ok(Transformed::yes(sequential(merge.input().clone(), merge.fetch()))),
            None => Ok(Transformed::no(node)),
        })
        .data()?;
    Ok(if plan.output_partitioning().partition_count() > 1 { sequential(plan, None) } else { plan })
}

fn sequential(input: Arc<dyn ExecutionPlan>, fetch: Option<usize>) -> Arc<dyn ExecutionPlan> {
    // The properties of the merge that it stands for: one partition, no known order.
    let properties = CoalescePartitionsExec::new(input.clone()).properties().clone();
    Arc::new(SequentialExec { input, fetch, properties })
}

#[derive(Debug)]
struct SequentialExec {
    input: Arc<dyn ExecutionPlan>,
    fetch: Option<usize>,
    properties: Arc<PlanProperties>,
}

impl DisplayAs for SequentialExec {
    fn fmt_as(&self, _: DisplayFormatType, formatter: &mut fmt::Formatter) -> fmt::Result {
        formatter.write_str("SequentialExec")
    }
}

impl ExecutionPlan for SequentialExec {
    fn name(&self) -> &'static str {
        "SequentialExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn replace_children(
        self: Arc<Self>,
        mut children: Vec<Arc<dyn ExecutionPlan>>,
        _: ReplaceChildrenOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        match children.pop() {
            Some(input) if children.is_empty() => Ok(sequential(input, self.fetch)),
            _ => internal_err!("SequentialExec has one child"),
        }
    }

    fn with_new_children(self: Arc<Self>, children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        self.replace_children(
            children,
            ReplaceChildrenOptions::new(datafusion::physical_plan::ChildrenPropertiesMode::Recompute),
        )
    }

    fn execute(&self, _: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let input = self.input.clone();
        let schema = input.schema();
        let partitions = input.output_partitioning().partition_count();
        let stream = futures::stream::iter(0..partitions)
            .map(move |partition| input.execute(partition, context.clone()))
            .try_flatten();
        let stream: SendableRecordBatchStream = Box::pin(RecordBatchStreamAdapter::new(schema, stream));
        let metrics = BaselineMetrics::new(&ExecutionPlanMetricsSet::new(), 0);
        Ok(match self.fetch {
            Some(_) => Box::pin(LimitStream::new(stream, 0, self.fetch, metrics)),
            None => stream,
        })
    }
}
