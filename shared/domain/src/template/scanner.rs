//! Splits a source into text and expressions, and refuses all else before a parser sees it.
//!
//! One pass, no recursion: the parser behind it recurses over what nests, and backtracks over what is odd, so
//! neither may reach it.

use super::{MAX_EXPRESSIONS, Refusal, TemplateFault};

/// A stretch of a source.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Piece<'s> {
    Text(&'s str),
    /// From `{{` to `}}`, both included.
    Expression {
        source: &'s str,
        offset: usize,
    },
}

/// The pieces in order. Their texts are what is to be printed: the backslash of an escape is gone.
pub(super) fn scan(source: &str) -> Result<Vec<Piece<'_>>, TemplateFault> {
    let mut pieces = Vec::new();
    let mut expressions = 0;
    let mut rest = source;
    while let Some((before, opened)) = rest.find("{{").and_then(|at| rest.split_at_checked(at)) {
        let offset = source.len() - opened.len();
        let fault = |(within, refusal)| TemplateFault::at(source, offset + within, refusal);
        // As in Handlebars, one backslash makes the braces text, and the last of several makes the others text.
        let text = before.strip_suffix('\\');
        let braces_are_text = text.is_some_and(|text| !text.ends_with('\\'));
        pieces.push(Piece::Text(text.unwrap_or(before)));
        let length = if braces_are_text {
            escaped_length(opened)
        } else {
            expression_length(opened).map_err(fault)?
        };
        let (piece, after) = opened.split_at_checked(length).unwrap_or((opened, ""));
        if braces_are_text {
            pieces.push(Piece::Text(piece));
        } else {
            expressions += 1;
            pieces.push(Piece::Expression { source: piece, offset });
        }
        if expressions > MAX_EXPRESSIONS {
            return Err(fault((0, Refusal::TooManyExpressions)));
        }
        rest = after;
    }
    pieces.push(Piece::Text(rest));
    Ok(pieces)
}

/// One backslash covers four braces if there are four.
fn escaped_length(opened: &str) -> usize {
    if opened.starts_with("{{{{") { 4 } else { 2 }
}

/// The bytes from `{{` to the end of its `}}`, or what must not stand there and how many bytes in.
fn expression_length(opened: &str) -> Result<usize, (usize, Refusal)> {
    let inside = opened.strip_prefix("{{").unwrap_or(opened);
    if let Some(refusal) = inside.chars().next().and_then(refused_opener) {
        return Err((0, refusal));
    }
    let mut place = Place::Gap;
    for (at, c) in inside.char_indices() {
        if place == Place::Closing && c == '}' {
            return Ok(2 + at + 1);
        }
        place = place.after(c).map_err(|refusal| (2 + at, refusal))?;
    }
    Err((0, Refusal::Unclosed))
}

fn refused_opener(opener: char) -> Option<Refusal> {
    let meaning = match opener {
        '{' => "three braces; two are enough, for nothing is escaped",
        '&' => "unescaped; nothing is escaped",
        '#' => "a block",
        '^' => "an inverse block",
        '/' => "the end of a block",
        '>' => "a partial",
        '*' => "a decorator",
        '!' => "a comment",
        '~' => "white space control",
        _ => return None,
    };
    Some(Refusal::Opener { opener, meaning })
}

/// Where in an expression the scanner stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Where a word, a literal or the end may come.
    Gap,
    Word,
    Dot,
    /// Within `[…]`, a segment of a path that is not a plain word.
    Bracket,
    /// Within a literal that ends with this quote.
    Quoted(char),
    /// After a backslash in such a literal.
    Escaped(char),
    /// After the first of the closing braces.
    Closing,
}

impl Place {
    fn after(self, c: char) -> Result<Self, Refusal> {
        match self {
            Self::Quoted(quote) if c == quote => Ok(Self::Word),
            Self::Quoted(quote) if c == '\\' => Ok(Self::Escaped(quote)),
            Self::Quoted(quote) | Self::Escaped(quote) => Ok(Self::Quoted(quote)),
            Self::Bracket => after_in_bracket(c),
            Self::Closing => Err(Refusal::Character('}')),
            Self::Gap | Self::Word | Self::Dot => self.after_in_path(c),
        }
    }

    fn after_in_path(self, c: char) -> Result<Self, Refusal> {
        match c {
            '}' => Ok(Self::Closing),
            ' ' | '\t' | '\r' | '\n' => Ok(Self::Gap),
            '.' if self == Self::Dot => Err(Refusal::Parent),
            '.' => Ok(Self::Dot),
            '[' if self == Self::Word => Err(Refusal::IndexWithoutDot),
            '[' => Ok(Self::Bracket),
            '"' | '\'' if self == Self::Gap => Ok(Self::Quoted(c)),
            '-' | '_' | '$' | ':' => Ok(Self::Word),
            c if c.is_alphanumeric() => Ok(Self::Word),
            c => Err(Refusal::Character(c)),
        }
    }
}

/// Brackets and braces would be a literal that nests, to the parser.
fn after_in_bracket(c: char) -> Result<Place, Refusal> {
    match c {
        ']' => Ok(Place::Word),
        '[' | '{' | '}' => Err(Refusal::Character(c)),
        _ => Ok(Place::Bracket),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(source: &str, expected: &[Piece<'_>]) {
        let mut pieces = scan(source).unwrap_or_else(|fault| panic!("{source}: {fault}"));
        pieces.retain(|piece| *piece != Piece::Text(""));
        assert_eq!(pieces, expected, "{source}");
    }

    fn expression(source: &str, offset: usize) -> Piece<'_> {
        Piece::Expression { source, offset }
    }

    #[test]
    fn a_source_is_split_into_text_and_expressions() {
        check("", &[]);
        check("a { b } c", &[Piece::Text("a { b } c")]);
        check("a{{b}}}c", &[Piece::Text("a"), expression("{{b}}", 1), Piece::Text("}c")]);
        check(r#"{{default a "}}"}}"#, &[expression(r#"{{default a "}}"}}"#, 0)]);
    }

    #[test]
    fn a_backslash_makes_braces_text() {
        check(r"\{{a}}", &[Piece::Text("{{"), Piece::Text("a}}")]);
        check(r"\{{{{a", &[Piece::Text("{{{{"), Piece::Text("a")]);
        check(r"C:\\{{a}}", &[Piece::Text(r"C:\"), expression("{{a}}", 4)]);
        check(r"\\\{{a}}", &[Piece::Text(r"\\"), expression("{{a}}", 3)]);
        check(r"a\b {{a}}", &[Piece::Text(r"a\b "), expression("{{a}}", 4)]);
    }
}
