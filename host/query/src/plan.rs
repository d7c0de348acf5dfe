//! From SQL to an executable plan, refusing whatever is not one SELECT over the session's own tables.

use crate::depth;
use crate::order::is_order_free;
use crate::sequential::in_fixed_order;
use crate::wording::{Wording, list, nearest};
use countersign_ports::query_engine::QueryError;
use datafusion::common::TableReference;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::execution::context::{SessionContext, SessionState};
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::execute_stream;
use datafusion::sql::parser::{DFParserBuilder, Statement};
use datafusion::sql::sqlparser::ast::Statement as SqlStatement;
use std::collections::HashSet;

const ONE_SELECT: &str = "only one SELECT, WITH or VALUES statement is allowed";

/// Starts the one SELECT in `sql`; its batches come in an order that depends on nothing but the data.
pub(crate) async fn start(
    context: &SessionContext,
    wording: &Wording,
    sql: &str,
) -> Result<SendableRecordBatchStream, QueryError> {
    let reword = |error| wording.reword(error);
    let statement = parse(sql, wording)?;
    let mut state = context.state();
    check_tables(context, &state, &statement, wording)?;
    let logical = state.statement_to_plan(statement).await.map_err(reword)?;
    check_plan(&logical, wording)?;
    let serial = !is_order_free(&logical);
    if serial {
        state.config_mut().options_mut().execution.target_partitions = 1;
    }
    let mut physical = state.create_physical_plan(&logical).await.map_err(reword)?;
    if serial {
        physical = in_fixed_order(physical).map_err(reword)?;
    }
    execute_stream(physical, state.task_ctx()).map_err(reword)
}

fn parse(sql: &str, wording: &Wording) -> Result<Statement, QueryError> {
    depth::check(sql)?;
    let mut statements = DFParserBuilder::new(sql)
        .build()
        .and_then(|mut parser| parser.parse_statements())
        .map_err(|error| wording.reword(error))?;
    match (statements.pop_front(), statements.is_empty()) {
        (Some(Statement::Statement(statement)), true) if matches!(*statement, SqlStatement::Query(_)) => {
            Ok(Statement::Statement(statement))
        }
        _ => Err(QueryError::Refused(ONE_SELECT.to_owned())),
    }
}

/// Every table must be registered: the engine would otherwise take a name for a path or a catalogue of its own.
fn check_tables(
    context: &SessionContext,
    state: &SessionState,
    statement: &Statement,
    wording: &Wording,
) -> Result<(), QueryError> {
    for reference in state.resolve_table_references(statement).map_err(|error| wording.reword(error))? {
        let is_function =
            matches!(&reference, TableReference::Bare { table } if state.table_functions().contains_key(&**table));
        if !is_function && !context.table_exist(reference.clone()).unwrap_or(false) {
            let tables = table_names(context);
            let name = reference.to_string();
            return Err(QueryError::Invalid(format!(
                "there is no table `{name}`{}; the tables are {}",
                nearest(&name, &tables),
                list(&tables)
            )));
        }
    }
    Ok(())
}

/// `input.split` names in order.
pub(crate) fn table_names(context: &SessionContext) -> Vec<String> {
    let mut names = Vec::new();
    for catalog in context.catalog_names().iter().filter_map(|name| context.catalog(name)) {
        for schema_name in catalog.schema_names() {
            let tables = catalog.schema(&schema_name).map(|schema| schema.table_names()).unwrap_or_default();
            names.extend(tables.into_iter().map(|table| format!("{schema_name}.{table}")));
        }
    }
    names.sort();
    names
}

/// The statement was a query; this looks at what it became, where nothing can hide in a CTE or a subquery.
fn check_plan(plan: &LogicalPlan, wording: &Wording) -> Result<(), QueryError> {
    let mut refused = false;
    plan.apply_with_subqueries(|node| {
        refused |= match node {
            LogicalPlan::Projection(_)
            | LogicalPlan::Filter(_)
            | LogicalPlan::Window(_)
            | LogicalPlan::Aggregate(_)
            | LogicalPlan::Sort(_)
            | LogicalPlan::Join(_)
            | LogicalPlan::Repartition(_)
            | LogicalPlan::Union(_)
            | LogicalPlan::TableScan(_)
            | LogicalPlan::EmptyRelation(_)
            | LogicalPlan::Subquery(_)
            | LogicalPlan::SubqueryAlias(_)
            | LogicalPlan::Limit(_)
            | LogicalPlan::Values(_)
            | LogicalPlan::Distinct(_)
            | LogicalPlan::Unnest(_)
            | LogicalPlan::RecursiveQuery(_) => false,
            LogicalPlan::Statement(_)
            | LogicalPlan::Explain(_)
            | LogicalPlan::Analyze(_)
            | LogicalPlan::Extension(_)
            | LogicalPlan::Dml(_)
            | LogicalPlan::Ddl(_)
            | LogicalPlan::Copy(_)
            | LogicalPlan::DescribeTable(_) => true,
        };
        Ok(if refused { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
    })
    .map_err(|error| wording.reword(error))?;
    if refused {
        return Err(QueryError::Refused(ONE_SELECT.to_owned()));
    }
    let mut names = HashSet::new();
    match plan.schema().fields().iter().find(|field| !names.insert(field.name())) {
        Some(field) => Err(QueryError::Invalid(format!(
            "the result has two columns `{}`: give one another name with AS",
            field.name()
        ))),
        None => Ok(()),
    }
}
