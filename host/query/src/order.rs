//! Which queries may use every core and still give the same bytes.
//!
//! Over several partitions rows meet in the order in which threads happen to deliver them. That changes the order of an
//! unsorted result, the rows that a LIMIT keeps, and the last bits of a floating-point sum. So a query runs in one partition
//! unless its answer can not depend on the order: it makes one row, or is sorted by all of its columns, and every aggregate in
//! it is exact.

use datafusion::arrow::datatypes::DataType;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::logical_expr::expr::AggregateFunction;
use datafusion::logical_expr::{Aggregate, Distinct, Expr, ExprSchemable, LogicalPlan, Sort};

/// Whether the answer is the same whatever order rows arrive in.
pub(crate) fn is_order_free(plan: &LogicalPlan) -> bool {
    match plan {
        LogicalPlan::Limit(limit) => match limit.input.as_ref() {
            LogicalPlan::Sort(sort) => is_total(sort) && is_exact(&sort.input),
            _ => false,
        },
        LogicalPlan::Sort(sort) => is_total(sort) && is_exact(&sort.input),
        _ => makes_one_row(plan) && is_exact(plan),
    }
}

fn makes_one_row(plan: &LogicalPlan) -> bool {
    match plan {
        LogicalPlan::Projection(projection) => makes_one_row(&projection.input),
        LogicalPlan::SubqueryAlias(alias) => makes_one_row(&alias.input),
        LogicalPlan::Aggregate(aggregate) => aggregate.group_expr.is_empty(),
        _ => false,
    }
}

/// Sorted by every column: rows that compare equal are equal.
fn is_total(sort: &Sort) -> bool {
    sort.input.schema().columns().iter().all(|column| {
        sort.expr.iter().any(|key| matches!(&key.expr, Expr::Column(sorted) if sorted.name == column.name))
    })
}

fn is_exact(plan: &LogicalPlan) -> bool {
    let mut exact = true;
    let visited = plan.apply_with_subqueries(|node| {
        exact &= match node {
            LogicalPlan::Aggregate(aggregate) => {
                aggregate.aggr_expr.iter().all(|expr| is_exact_aggregate(expr, aggregate))
            }
            LogicalPlan::Sort(sort) => sort.fetch.is_none(),
            LogicalPlan::TableScan(scan) => scan.fetch.is_none(),
            LogicalPlan::Distinct(distinct) => matches!(distinct, Distinct::All(_)),
            LogicalPlan::Projection(_)
            | LogicalPlan::Filter(_)
            | LogicalPlan::Join(_)
            | LogicalPlan::Union(_)
            | LogicalPlan::EmptyRelation(_)
            | LogicalPlan::Subquery(_)
            | LogicalPlan::SubqueryAlias(_)
            | LogicalPlan::Values(_) => true,
            _ => false,
        };
        Ok(if exact { TreeNodeRecursion::Continue } else { TreeNodeRecursion::Stop })
    });
    exact && visited.is_ok()
}

/// An aggregate whose partial results can be merged in any order without a trace.
fn is_exact_aggregate(expr: &Expr, aggregate: &Aggregate) -> bool {
    let Expr::AggregateFunction(AggregateFunction { func, params }) = unalias(expr) else { return false };
    let exact = match func.name() {
        "count" | "min" | "max" | "bool_and" | "bool_or" | "bit_and" | "bit_or" | "bit_xor" | "approx_distinct" => true,
        "sum" => params.args.iter().all(|argument| {
            argument.get_type(aggregate.input.schema().as_ref()).is_ok_and(|kind| is_whole_number(&kind))
        }),
        _ => false,
    };
    exact && params.order_by.is_empty()
}

fn unalias(expr: &Expr) -> &Expr {
    match expr {
        Expr::Alias(alias) => unalias(&alias.expr),
        other => other,
    }
}

fn is_whole_number(kind: &DataType) -> bool {
    kind.is_integer() || matches!(kind, DataType::Decimal128(..) | DataType::Decimal256(..) | DataType::Boolean)
}
