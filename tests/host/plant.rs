// SPDX-License-Identifier: GPL-2.0

//! Plants a fault: finds a piece of code in a source and replaces it.
//!
//! The piece is found by its tokens, so neither comments nor line breaks matter. Names may be others
//! than those in the piece, as long as each stands for one name throughout; the place with the fewest
//! other names is taken, and it has to be the only one. So a fault survives a renaming, and what it is
//! replaced by has the new names.
//!
//! Part of the build script of `loom/timers`, of its tests, and of a program of the proof.

use std::{
    collections::HashMap,
    ops::Range, //
};

/// What is not a name.
const WORDS: [&str; 31] = [
    "as", "break", "const", "continue", "crate", "else", "enum", "false", "fn", "for", "if",
    "impl", "in", "let", "loop", "match", "mod", "mut", "pub", "ref", "return", "self", "Self",
    "static", "struct", "super", "true", "unsafe", "use", "where", "while",
];

/// The names that one source has for those of a piece.
type Names<'a> = HashMap<&'a str, &'a str>;

/// The places of all tokens: words and numbers, and single characters. Comments are none.
fn tokens(text: &str) -> Vec<Range<usize>> {
    let mut found: Vec<Range<usize>> = Vec::new();
    let mut rest = text;

    while let Some(first) = rest.chars().next() {
        let begin = text.len() - rest.len();
        let is_word = |c: char| c.is_alphanumeric() || c == '_';
        let size = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if is_word(first) {
            rest.find(|c| !is_word(c)).unwrap_or(rest.len())
        } else {
            first.len_utf8()
        };

        if !first.is_whitespace() && !rest.starts_with("//") {
            found.push(begin..begin + size);
        }
        rest = &rest[size..];
    }
    found
}

fn is_name(token: &str) -> bool {
    token.starts_with(|c: char| c.is_alphabetic() || c == '_') && !WORDS.contains(&token)
}

/// The names at a place that has the tokens of a piece, if each of the piece's is one there.
fn names<'a>(piece: &[&'a str], place: &[&'a str]) -> Option<Names<'a>> {
    let mut names = Names::new();

    for (&ours, &theirs) in piece.iter().zip(place) {
        if !is_name(ours) || !is_name(theirs) {
            if ours != theirs {
                return None;
            }
        } else if *names.entry(ours).or_insert(theirs) != theirs {
            return None;
        }
    }
    // Nor do two of the piece's have the same name there.
    let mut taken: Vec<_> = names.values().collect();
    taken.sort();
    taken.dedup();
    (taken.len() == names.len()).then_some(names)
}

/// A text without its comments, whose names are others.
fn renamed(text: &str, names: &Names<'_>) -> String {
    let mut result = String::new();
    let mut end = 0;

    for token in tokens(text) {
        if token.start > end {
            result.push(if text[end..token.start].contains('\n') {
                '\n'
            } else {
                ' '
            });
        }
        end = token.end;
        let token = &text[token];
        result += names.get(token).unwrap_or(&token);
    }
    result
}

/// Returns the source with `after` in place of `before`, or why not.
pub fn plant(source: &str, before: &str, after: &str) -> Result<String, String> {
    let places = tokens(source);
    let words: Vec<_> = places.iter().map(|place| &source[place.clone()]).collect();
    let piece: Vec<_> = tokens(before)
        .into_iter()
        .map(|place| &before[place])
        .collect();

    if piece.is_empty() {
        return Err("nothing is looked for".to_owned());
    }
    // A name that is still in the source was not renamed, or only there.
    let rank = |names: &Names<'_>| {
        let others = names.iter().filter(|(ours, theirs)| ours != theirs);
        let (kept, gone): (Vec<_>, Vec<_>) = others.partition(|(ours, _)| words.contains(ours));
        (kept.len(), gone.len())
    };
    let mut found: Vec<_> = words
        .windows(piece.len())
        .enumerate()
        .filter_map(|(first, place)| Some((names(&piece, place)?, first)))
        .map(|(names, first)| (rank(&names), first, names))
        .collect();

    found.sort_by_key(|(rank, first, _)| (*rank, *first));
    match &found[..] {
        [] => Err(format!("this is not there:\n{before}")),
        [(one, ..), (other, ..), ..] if one == other => Err(format!(
            "this is there more than once, or there with other names:\n{before}"
        )),
        [(_, first, names), ..] => {
            let place = places[*first].start..places[*first + piece.len() - 1].end;
            Ok([
                &source[..place.start],
                &renamed(after, names),
                &source[place.end..],
            ]
            .concat())
        }
    }
}

/// As [`plant()`], where renaming any one of the piece's names in the source would lead to the same.
pub fn plant_for_good(source: &str, before: &str, after: &str) -> Result<String, String> {
    let planted = plant(source, before, after)?;

    for name in tokens(before).into_iter().map(|place| &before[place]) {
        let new = format!("{name}_anew");
        let names = Names::from([(name, new.as_str())]);

        if !is_name(name) {
            continue;
        }
        match plant(&renamed(source, &names), before, after) {
            Ok(other) if renamed(&other, &Names::new()) == renamed(&planted, &names) => (),
            _ => return Err(format!("a renaming of {name} would lose this:\n{before}")),
        }
    }
    Ok(planted)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str = "
fn first(one: u32) -> u32 { one + TWO } // not here
fn second(one: u32) -> u32 {
    // A comment.
    one
        - TWO
}
";

    fn planted(before: &str, after: &str) -> Option<String> {
        let text = plant(SOURCE, before, after).ok()?;
        Some(text.lines().map(str::trim).collect::<Vec<_>>().join(" "))
    }

    #[test]
    fn neither_comments_nor_lines_matter() {
        let text = planted("{ one - TWO }", "{ one - TWO - 1 }").expect("is there");
        assert!(text.contains("{ one - TWO - 1 }"), "{text}");
        assert!(text.contains("{ one + TWO }"), "{text}");
    }

    #[test]
    fn names_are_those_of_the_source() {
        let text = planted("{ number - 2_NAMED }", "").is_none();
        assert!(text, "a number is no name");
        let text = planted("{ number - LIMIT }", "{ number * LIMIT + 1 }").expect("is there");
        assert!(text.contains("{ one * TWO + 1 }"), "{text}");
    }

    #[test]
    fn a_name_is_one_name() {
        assert_eq!(planted("number - number", "0"), None);
        assert_eq!(
            plant("f(a, a)", "f(a, b)", ""),
            Err("this is not there:\nf(a, b)".to_owned())
        );
    }

    #[test]
    fn two_places_are_none() {
        assert_eq!(planted("one: u32", "one: u64"), None);
        assert_eq!(planted("other: u32", "other: u64"), None);
        // The names say which.
        assert!(planted("fn second(one: u32)", "fn second(one: u64)").is_some());
        // And what has been renamed is not what is still there.
        assert!(planted("fn third(one: u32) -> u32 { one + TWO", "").is_some());
    }

    #[test]
    fn a_renaming_is_survived_or_noticed() {
        assert!(plant_for_good(SOURCE, "one - TWO", "one").is_ok());
        let lost = plant_for_good("f(a); g(a);", "f(a)", "").expect_err("it might be the other");
        assert_eq!(lost, "a renaming of f would lose this:\nf(a)");
    }
}
