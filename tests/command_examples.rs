//! What the program and its documentation tell people to type is a command that the program knows:
//! the examples of every help, every command in docs/, and every command that a text of the
//! program names as the next step.

use std::fs;
use std::path::{Path, PathBuf};

use clap::error::ErrorKind;
use clap::{Command, CommandFactory as _, Parser as _};
use selfprov::cli::arguments::Arguments;

/// The words of a command line as a shell has them, up to a comment, pipe or redirection.
fn words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None);
    let mut characters = line.chars().peekable();
    while let Some(character) = characters.next() {
        match (quote, character) {
            (Some(open), c) if c == open => quote = None,
            (None, '\'' | '"') => {
                quote = Some(character);
                word.get_or_insert_default();
            }
            (None, '|' | '>' | '<' | ';' | '&') => break,
            (None, '#') if word.is_none() => break,
            (None, c) if c.is_whitespace() => {
                words.extend(word.take());
                // Two spaces end an example of the help; what follows explains it.
                if characters.peek() == Some(&' ') {
                    break;
                }
            }
            (_, c) => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}

/// Why the program would not take these words; `None` when it would, or when they only name a
/// command (`is_mention`) whose arguments are left out or stand for others.
fn mistake(words: &[String], is_mention: bool) -> Option<String> {
    let error = Arguments::try_parse_from(words).err()?;
    let is_fine = match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => true,
        ErrorKind::MissingRequiredArgument
        | ErrorKind::MissingSubcommand
        | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
        | ErrorKind::ValueValidation
        | ErrorKind::InvalidValue => is_mention,
        _ => false,
    };
    (!is_fine).then(|| format!("{}\n{error}", words.join(" ")))
}

/// Lines with those that end in a backslash joined to the next.
fn joined(text: &str) -> Vec<String> {
    let parts = text.split("\\\n").enumerate();
    let part = |(index, part): (usize, &str)| match index {
        0 => part.to_owned(),
        _ => part.trim_start().to_owned(),
    };
    let text: String = parts.map(part).collect();
    let collapse = |line: &str| {
        let indent = line.len() - line.trim_start().len();
        format!("{}{}", " ".repeat(indent), line.trim_start())
    };
    text.lines().map(collapse).collect()
}

fn commands(command: &Command, found: &mut Vec<Command>) {
    found.push(command.clone());
    for child in command.get_subcommands() {
        commands(child, found);
    }
}

#[test]
fn every_example_of_every_help_is_a_command_of_the_program() {
    let mut all = Vec::new();
    commands(&Arguments::command(), &mut all);
    let (mut examples, mut mistakes) = (0, Vec::new());
    for command in &all {
        let help = [command.get_after_help(), command.get_after_long_help()];
        for help in help.into_iter().flatten() {
            // A continued line is one command: its own indentation is no comment.
            let text = help.to_string().replace("\\\n    ", "");
            for line in text.lines().filter(|line| line.starts_with("  selfprov ")) {
                examples += 1;
                mistakes.extend(mistake(&words(line.trim_start()), false));
            }
        }
    }
    assert!(examples > 40, "only {examples} examples were found");
    assert!(mistakes.is_empty(), "{}", mistakes.join("\n"));
}

#[test]
fn every_command_that_does_something_has_an_example() {
    let mut without = Vec::new();
    let root = Arguments::command();
    for command in root.get_subcommands() {
        let mut below = Vec::new();
        commands(command, &mut below);
        for leaf in below.iter().filter(|one| !one.has_subcommands()) {
            let help = leaf.get_after_help().map(ToString::to_string);
            let above = command.get_after_help().map(ToString::to_string);
            let name = format!("selfprov {} {} ", command.get_name(), leaf.get_name());
            let shown = help.is_some_and(|help| help.contains("  selfprov "))
                || above.is_some_and(|help| format!("{help} ").contains(name.trim_end()));
            if !shown {
                without.push(format!("{} {}", command.get_name(), leaf.get_name()));
            }
        }
    }
    assert!(without.is_empty(), "no example for: {without:?}");
}

fn files(folder: &Path, extension: &str, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, extension, found);
        } else if path.extension().is_some_and(|one| one == extension) {
            found.push(path);
        }
    }
}

/// What stands between two single back quotes on a line.
fn inline_code(line: &str) -> impl Iterator<Item = &str> {
    line.split('`').skip(1).step_by(2)
}

#[test]
fn every_command_in_the_documentation_is_a_command_of_the_program() {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let mut pages = vec![root.join("README.md")];
    files(&root.join("docs"), "md", &mut pages);
    let (mut blocks, mut mistakes) = (0, Vec::new());
    for page in pages {
        let text = fs::read_to_string(&page).unwrap();
        let (mut is_block, mut is_shell) = (false, false);
        for line in joined(&text) {
            if line.trim_start().starts_with("```") {
                is_block = !is_block;
                is_shell = line.trim() == "```sh";
                continue;
            }
            let typed = line
                .strip_prefix("$ ")
                .or_else(|| line.strip_prefix("# "))
                .or(is_shell.then_some(line.as_str()))
                .filter(|typed| is_block && typed.starts_with("selfprov "));
            let mut found: Vec<String> = Vec::new();
            if let Some(typed) = typed {
                blocks += 1;
                found.extend(mistake(&words(typed), false));
            } else if !is_block {
                let named = inline_code(&line).filter(|code| code.starts_with("selfprov "));
                found.extend(named.filter_map(|code| mistake(&words(code), true)));
            }
            mistakes.extend(found.iter().map(|one| format!("{}: {one}", page.display())));
        }
    }
    assert!(blocks > 20, "only {blocks} commands were found");
    assert!(mistakes.is_empty(), "{}", mistakes.join("\n"));
}

/// The commands that texts of the program name: after a colon, or between back quotes.
fn named_in(source: &str) -> Vec<String> {
    let mut text = String::new();
    let lines = source.lines().map(str::trim_start);
    for line in lines.filter(|line| !line.starts_with("//")) {
        // A backslash at the end of a line of a text joins it to the next.
        match line.strip_suffix('\\') {
            Some(line) => text.push_str(line),
            None => text.extend([line, "\n"]),
        }
    }
    let source = text;
    let mut named = Vec::new();
    for mark in [": selfprov ", "`selfprov "] {
        for (place, _) in source.match_indices(mark) {
            let rest = &source[place + mark.len() - "selfprov ".len()..];
            let ends: &[char] = if mark.starts_with('`') {
                &['`', '"', '\\', '\n']
            } else {
                &['"', '\\', '\n', ',', ';', '(', ')']
            };
            let end = rest.find(ends).unwrap_or(rest.len());
            let command = rest[..end].trim().trim_end_matches('.');
            if !command.starts_with("selfprov itself") {
                named.push(command.to_owned());
            }
        }
    }
    named
}

#[test]
fn every_command_that_the_program_names_as_a_next_step_is_one() {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let mut sources = Vec::new();
    files(&root.join("src"), "rs", &mut sources);
    let (mut count, mut mistakes) = (0, Vec::new());
    for path in sources {
        for named in named_in(&fs::read_to_string(&path).unwrap()) {
            count += 1;
            let found = mistake(&words(&named), true);
            mistakes.extend(found.map(|one| format!("{}: {one}", path.display())));
        }
    }
    assert!(count > 20, "only {count} commands were found");
    assert!(mistakes.is_empty(), "{}", mistakes.join("\n"));
}
