//! How is a GraphQL document read?
//!
//! Queries with variables, aliases, fragments and arguments, and no more of the language than that.

use std::collections::HashMap;

use serde_json::{Map, Value};

/// What is wrong with a document, and where: line and column, from one.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Trouble {
    pub(super) message: String,
    pub(super) at: (usize, usize),
}

#[derive(Debug, Clone, PartialEq)]
enum Token {
    Name(String),
    Variable(String),
    Int(i64),
    Text(String),
    Punctuator(char),
    Spread,
    End,
}

/// An argument or a default.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Literal {
    Value(Value),
    /// A word such as `OPEN`.
    Word(String),
    Variable(String),
    List(Vec<Literal>),
    Object(Vec<(String, Literal)>),
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Field {
    pub(super) name: String,
    pub(super) alias: Option<String>,
    pub(super) arguments: Vec<(String, Literal)>,
    pub(super) selections: Vec<Selection>,
    pub(super) at: (usize, usize),
}

impl Field {
    /// The name that the answer has it under.
    pub(super) fn key(&self) -> &str {
        self.alias.as_deref().unwrap_or(&self.name)
    }
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Selection {
    Field(Field),
    /// `... on Type {}`; without a type it is for any.
    Inline(Option<String>, Vec<Selection>),
    Spread(String, (usize, usize)),
}

#[derive(Debug)]
pub(super) struct Query {
    pub(super) name: Option<String>,
    /// Name, whether it must be given, default.
    pub(super) variables: Vec<(String, bool, Option<Literal>)>,
    pub(super) selections: Vec<Selection>,
}

#[derive(Debug, Default)]
pub(super) struct Document {
    pub(super) queries: Vec<Query>,
    /// By name: the type, and what is selected.
    pub(super) fragments: HashMap<String, (String, Vec<Selection>)>,
}

pub(super) fn parse(text: &str) -> Result<Document, Trouble> {
    let mut parser = Parser { tokens: lex(text)?, next: 0 };
    let mut document = Document::default();
    while parser.peek() != &Token::End {
        parser.definition(&mut document)?;
    }
    Ok(document)
}

/// Tokens, each with its place.
type Tokens = Vec<(Token, (usize, usize))>;

fn lex(text: &str) -> Result<Tokens, Trouble> {
    let mut tokens = Vec::new();
    let (mut line, mut start) = (1, 0);
    let bytes = text.as_bytes();
    let mut place = 0;
    while let Some(&byte) = bytes.get(place) {
        let at = (line, place - start + 1);
        let rest = &text[place..];
        let word =
            |from: &str| from.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(from.len());
        match byte {
            b'\n' => {
                (line, start) = (line + 1, place + 1);
                place += 1;
            }
            b' ' | b'\t' | b'\r' | b',' => place += 1,
            b'#' => place += rest.find('\n').unwrap_or(rest.len()),
            b'"' => {
                let end = end_of_text(rest).ok_or_else(|| unexpected("unterminated string", at))?;
                let value = serde_json::from_str(&rest[..end]);
                tokens.push((Token::Text(value.map_err(|_| unexpected("invalid string", at))?), at));
                place += end;
            }
            b'.' if rest.starts_with("...") => {
                tokens.push((Token::Spread, at));
                place += 3;
            }
            b'$' => {
                let end = word(&rest[1..]);
                tokens.push((Token::Variable(rest[1..=end].to_owned()), at));
                place += end + 1;
            }
            b'-' | b'0'..=b'9' => {
                let end = rest[1..].find(|c: char| !c.is_ascii_digit()).map_or(rest.len(), |end| end + 1);
                let number = rest[..end].parse().map_err(|_| unexpected(&rest[..end], at))?;
                tokens.push((Token::Int(number), at));
                place += end;
            }
            b'a'..=b'z' | b'A'..=b'Z' | b'_' => {
                let end = word(rest);
                tokens.push((Token::Name(rest[..end].to_owned()), at));
                place += end;
            }
            b'{' | b'}' | b'(' | b')' | b'[' | b']' | b':' | b'=' | b'!' => {
                tokens.push((Token::Punctuator(char::from(byte)), at));
                place += 1;
            }
            _ => return Err(unexpected(&rest.chars().take(1).collect::<String>(), at)),
        }
    }
    tokens.push((Token::End, (line, place - start + 1)));
    Ok(tokens)
}

/// Where a text ends, with its quotation marks.
fn end_of_text(rest: &str) -> Option<usize> {
    let mut escaped = false;
    for (place, c) in rest.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return Some(place + 1),
            '\n' => return None,
            _ => {}
        }
    }
    None
}

fn unexpected(what: &str, at: (usize, usize)) -> Trouble {
    let (line, column) = at;
    Trouble { message: format!("Parse error on {what:?} at [{line}, {column}]"), at }
}

struct Parser {
    tokens: Tokens,
    next: usize,
}

impl Parser {
    fn peek(&self) -> &Token {
        &self.tokens[self.next].0
    }

    fn at(&self) -> (usize, usize) {
        self.tokens[self.next].1
    }

    fn take(&mut self) -> Token {
        let token = self.peek().clone();
        // The last token is the end, and stays.
        self.next = (self.next + 1).min(self.tokens.len() - 1);
        token
    }

    fn trouble<T>(&self) -> Result<T, Trouble> {
        Err(unexpected(&format!("{:?}", self.peek()), self.at()))
    }

    fn is(&mut self, punctuator: char) -> bool {
        let found = self.peek() == &Token::Punctuator(punctuator);
        if found {
            self.take();
        }
        found
    }

    fn expect(&mut self, punctuator: char) -> Result<(), Trouble> {
        if self.is(punctuator) { Ok(()) } else { self.trouble() }
    }

    fn name(&mut self) -> Result<String, Trouble> {
        match self.peek() {
            Token::Name(name) => {
                let name = name.clone();
                self.take();
                Ok(name)
            }
            _ => self.trouble(),
        }
    }

    fn definition(&mut self, document: &mut Document) -> Result<(), Trouble> {
        match self.peek().clone() {
            Token::Punctuator('{') => {
                let selections = self.selections()?;
                document.queries.push(Query { name: None, variables: Vec::new(), selections });
            }
            Token::Name(keyword) if keyword == "query" => {
                self.take();
                let name = if matches!(self.peek(), Token::Name(_)) { Some(self.name()?) } else { None };
                let variables = if self.is('(') { self.variables()? } else { Vec::new() };
                let selections = self.selections()?;
                document.queries.push(Query { name, variables, selections });
            }
            Token::Name(keyword) if keyword == "fragment" => {
                self.take();
                let name = self.name()?;
                if self.name()? != "on" {
                    return self.trouble();
                }
                let of = self.name()?;
                let selections = self.selections()?;
                document.fragments.insert(name, (of, selections));
            }
            _ => return self.trouble(),
        }
        Ok(())
    }

    fn variables(&mut self) -> Result<Vec<(String, bool, Option<Literal>)>, Trouble> {
        let mut variables = Vec::new();
        while !self.is(')') {
            let Token::Variable(name) = self.take() else { return self.trouble() };
            self.expect(':')?;
            let needed = self.variable_type()?;
            let default = if self.is('=') { Some(self.literal()?) } else { None };
            variables.push((name, needed && default.is_none(), default));
        }
        Ok(variables)
    }

    /// Reads a type; returns whether a value must be given.
    fn variable_type(&mut self) -> Result<bool, Trouble> {
        if self.is('[') {
            self.variable_type()?;
            self.expect(']')?;
        } else {
            self.name()?;
        }
        Ok(self.is('!'))
    }

    fn selections(&mut self) -> Result<Vec<Selection>, Trouble> {
        self.expect('{')?;
        let mut selections = Vec::new();
        while !self.is('}') {
            selections.push(self.selection()?);
        }
        if selections.is_empty() { self.trouble() } else { Ok(selections) }
    }

    fn selection(&mut self) -> Result<Selection, Trouble> {
        let at = self.at();
        if self.peek() == &Token::Spread {
            self.take();
            return match self.peek().clone() {
                Token::Name(keyword) if keyword == "on" => {
                    self.take();
                    Ok(Selection::Inline(Some(self.name()?), self.selections()?))
                }
                Token::Name(fragment) => {
                    self.take();
                    Ok(Selection::Spread(fragment, at))
                }
                _ => Ok(Selection::Inline(None, self.selections()?)),
            };
        }
        let first = self.name()?;
        let (alias, name) = if self.is(':') { (Some(first), self.name()?) } else { (None, first) };
        let mut arguments = Vec::new();
        if self.is('(') {
            while !self.is(')') {
                let argument = self.name()?;
                self.expect(':')?;
                arguments.push((argument, self.literal()?));
            }
        }
        let more = self.peek() == &Token::Punctuator('{');
        let selections = if more { self.selections()? } else { Vec::new() };
        Ok(Selection::Field(Field { name, alias, arguments, selections, at }))
    }

    fn literal(&mut self) -> Result<Literal, Trouble> {
        let literal = match self.take() {
            Token::Variable(name) => Literal::Variable(name),
            Token::Int(number) => Literal::Value(Value::Number(number.into())),
            Token::Text(text) => Literal::Value(Value::String(text)),
            Token::Name(name) => match name.as_str() {
                "true" => Literal::Value(Value::Bool(true)),
                "false" => Literal::Value(Value::Bool(false)),
                "null" => Literal::Value(Value::Null),
                _ => Literal::Word(name),
            },
            Token::Punctuator('[') => {
                let mut items = Vec::new();
                while !self.is(']') {
                    items.push(self.literal()?);
                }
                Literal::List(items)
            }
            Token::Punctuator('{') => {
                let mut fields = Vec::new();
                while !self.is('}') {
                    let name = self.name()?;
                    self.expect(':')?;
                    fields.push((name, self.literal()?));
                }
                Literal::Object(fields)
            }
            _ => return self.trouble(),
        };
        Ok(literal)
    }
}

impl Literal {
    /// The value, with variables put in; one that was not given is null.
    pub(super) fn value(&self, variables: &Map<String, Value>) -> Value {
        match self {
            Self::Value(value) => value.clone(),
            Self::Word(word) => Value::String(word.clone()),
            Self::Variable(name) => variables.get(name).cloned().unwrap_or_default(),
            Self::List(items) => items.iter().map(|item| item.value(variables)).collect(),
            Self::Object(fields) => {
                let fields = fields.iter().map(|(name, literal)| (name.clone(), literal.value(variables)));
                Value::Object(fields.collect())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_query_with_everything_is_read() {
        let text = r#"
            # what a sync asks
            query Sync($owner: String!, $first: Int = 50, $states: [IssueState!]) {
              repository(owner: $owner, name: "a \"b\"") {
                open: issues(first: $first, states: [OPEN], filterBy: {since: null, states: $states}) {
                  nodes { ...Common ... on Issue { stateReason } ... { id } }
                }
              }
            }
            fragment Common on Issue { number, title }
        "#;
        let document = parse(text).unwrap();
        let query = &document.queries[0];
        assert_eq!(query.name.as_deref(), Some("Sync"));
        let needed: Vec<_> =
            query.variables.iter().map(|(name, needed, _)| (name.as_str(), *needed)).collect();
        assert_eq!(needed, [("owner", true), ("first", false), ("states", false)]);
        let Selection::Field(repository) = &query.selections[0] else { panic!() };
        assert_eq!((repository.at, repository.arguments.len()), ((4, 15), 2));
        let Selection::Field(issues) = &repository.selections[0] else { panic!() };
        assert_eq!((issues.key(), issues.name.as_str()), ("open", "issues"));
        let variables = json!({"first": 7, "states": ["CLOSED"]});
        let values: Vec<_> = issues
            .arguments
            .iter()
            .map(|(_, literal)| literal.value(variables.as_object().unwrap()))
            .collect();
        assert_eq!(values, [json!(7), json!(["OPEN"]), json!({"since": null, "states": ["CLOSED"]})]);
        assert_eq!(document.fragments["Common"].0, "Issue");
    }

    #[test]
    fn what_is_no_query_is_said_with_its_place() {
        for (text, at) in [
            ("{", (1, 2)),
            ("query {\n  a(}", (2, 5)),
            ("mutation { a }", (1, 1)),
            ("{ }", (1, 4)),
            ("{ a(b: \"c }", (1, 8)),
            ("{ a ~ }", (1, 5)),
        ] {
            assert_eq!(parse(text).unwrap_err().at, at, "{text}");
        }
    }
}
