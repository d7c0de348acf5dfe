//! Refuses SQL that nests so deeply that planning it would overflow the stack, which no `Result` can catch.
//!
//! Parentheses are limited by the SQL parser itself; what is left are chains, `a + a + a …` or `UNION ALL …`, each link of
//! which is one level of the plan.

use countersign_ports::query_engine::QueryError;
use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::tokenizer::{Token, Tokenizer};

/// The most bytes of one statement.
const MAX_SQL_BYTES: usize = 1 << 20;
/// The most tokens along the deepest expression; `x IS NOT NULL AND` has five.
const MAX_EXPRESSION_TOKENS: usize = 1_000;
/// The most tables that one statement joins or unites.
const MAX_RELATIONS: usize = 200;

/// What stands between two parentheses, or between CASE and END, whose branches lie side by side.
#[derive(Default)]
struct Level {
    /// Tokens of the current expression: each may be one level of its plan.
    tokens: usize,
    /// The deepest parenthesis in the current expression.
    inner: usize,
    /// The deepest expression so far.
    deepest: usize,
    lists_tables: bool,
    is_case: bool,
}

impl Level {
    fn depth(&self) -> usize {
        self.deepest.max(self.tokens + self.inner)
    }

    fn next_expression(&mut self) {
        self.deepest = self.depth();
        (self.tokens, self.inner) = (0, 0);
    }
}

/// Refuses what is too long or too deep.
pub(crate) fn check(sql: &str) -> Result<(), QueryError> {
    if sql.len() > MAX_SQL_BYTES {
        return Err(QueryError::Limit(format!(
            "a statement has at most {MAX_SQL_BYTES} bytes, this one {}",
            sql.len()
        )));
    }
    let tokens = Tokenizer::new(&GenericDialect {}, sql)
        .tokenize()
        .map_err(|error| QueryError::Invalid(format!("syntax error: {error}")))?;
    let (mut outer, mut level, mut relations) = (Vec::new(), Level::default(), 0);
    for token in &tokens {
        match token {
            Token::Whitespace(_) => {}
            Token::LParen => outer.push(std::mem::take(&mut level)),
            Token::RParen => leave(&mut level, &mut outer),
            Token::Comma => {
                relations += usize::from(level.lists_tables);
                level.next_expression();
            }
            Token::Word(word) => relations += read(word.keyword, &mut level, &mut outer),
            _ => level.tokens += 1,
        }
        if level.depth() > MAX_EXPRESSION_TOKENS {
            return Err(QueryError::Limit(format!(
                "an expression has at most {MAX_EXPRESSION_TOKENS} words and operators in a row"
            )));
        }
        if relations > MAX_RELATIONS {
            return Err(QueryError::Limit(format!("a statement joins or unites at most {MAX_RELATIONS} tables")));
        }
    }
    Ok(())
}

/// Goes back to what surrounds a parenthesis or CASE, which is a token there.
fn leave(level: &mut Level, outer: &mut Vec<Level>) {
    let depth = level.depth();
    *level = outer.pop().unwrap_or_default();
    level.inner = level.inner.max(depth);
    level.tokens += 1;
}

/// Counts a word; how many tables more it joins or unites.
fn read(keyword: Keyword, level: &mut Level, outer: &mut Vec<Level>) -> usize {
    match keyword {
        Keyword::CASE => outer.push(std::mem::replace(level, Level { is_case: true, ..Level::default() })),
        Keyword::WHEN | Keyword::THEN | Keyword::ELSE if level.is_case => level.next_expression(),
        Keyword::END if level.is_case => leave(level, outer),
        Keyword::SELECT | Keyword::WHERE | Keyword::GROUP | Keyword::HAVING | Keyword::ORDER => {
            level.next_expression();
            level.lists_tables = false;
        }
        Keyword::FROM => {
            level.next_expression();
            level.lists_tables = true;
        }
        Keyword::JOIN | Keyword::UNION | Keyword::INTERSECT | Keyword::EXCEPT => {
            level.next_expression();
            return 1;
        }
        _ => level.tokens += 1,
    }
    0
}
