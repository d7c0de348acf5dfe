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
/// The most tokens of one expression outside its parentheses; `x IS NOT NULL AND` has five.
const MAX_EXPRESSION_TOKENS: usize = 4_000;
/// The most tables that one statement joins or unites.
const MAX_RELATIONS: usize = 400;

/// One pair of parentheses.
#[derive(Default)]
struct Level {
    tokens: usize,
    lists_tables: bool,
}

/// Refuses what is too long or too deep.
pub(crate) fn check(sql: &str) -> Result<(), QueryError> {
    if sql.len() > MAX_SQL_BYTES {
        return Err(QueryError::Limit(format!("a statement has at most {MAX_SQL_BYTES} bytes, this one {}", sql.len())));
    }
    let tokens = Tokenizer::new(&GenericDialect {}, sql)
        .tokenize()
        .map_err(|error| QueryError::Invalid(format!("syntax error: {error}")))?;
    let mut levels = vec![Level::default()];
    let mut relations = 0;
    for token in &tokens {
        match token {
            Token::LParen => levels.push(Level::default()),
            Token::RParen if levels.len() > 1 => {
                levels.pop();
            }
            _ => {}
        }
        let Some(level) = levels.last_mut() else { continue };
        match token {
            Token::Whitespace(_) => {}
            Token::Comma => {
                relations += usize::from(level.lists_tables);
                level.tokens = 0;
            }
            Token::Word(word) => match word.keyword {
                Keyword::SELECT | Keyword::WHERE | Keyword::GROUP | Keyword::HAVING | Keyword::ORDER => {
                    *level = Level::default();
                }
                Keyword::FROM => *level = Level { tokens: 0, lists_tables: true },
                Keyword::JOIN | Keyword::UNION | Keyword::INTERSECT | Keyword::EXCEPT => {
                    relations += 1;
                    level.tokens = 0;
                }
                _ => level.tokens += 1,
            },
            _ => level.tokens += 1,
        }
        if level.tokens > MAX_EXPRESSION_TOKENS {
            return Err(QueryError::Limit(format!(
                "an expression has at most {MAX_EXPRESSION_TOKENS} words and operators outside parentheses"
            )));
        }
        if relations > MAX_RELATIONS {
            return Err(QueryError::Limit(format!("a statement joins or unites at most {MAX_RELATIONS} tables")));
        }
    }
    Ok(())
}
