//! URLs without what may be a secret: the user information before the host, and the query.

/// What stands in the place of a secret.
const HIDDEN: &str = "***";

/// Whether a letter ends a URL within a sentence.
fn ends(letter: char) -> bool {
    letter.is_whitespace() || matches!(letter, '"' | '<' | '>' | '`' | '|' | '\\' | '^')
}

/// The text with `***` for the password (or whatever stands before the host) and the query of every
/// URL in it, of whatever scheme.
pub fn redacted(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (before, after) = rest.split_at(at + 3);
        safe.push_str(before);
        let end = after.find(ends).unwrap_or(after.len());
        let (url, after) = after.split_at(end);
        safe.push_str(&without_secrets(url, names_container(before)));
        rest = after;
    }
    safe.push_str(rest);
    safe
}

/// Whether the scheme is one in which a name, not a secret, stands before the host:
/// `abfss://container@account`.
fn names_container(before: &str) -> bool {
    let scheme = before.trim_end_matches("://").to_lowercase();
    scheme.ends_with("abfs") || scheme.ends_with("abfss")
}

/// What follows `://`, without secrets.
fn without_secrets(url: &str, names_container: bool) -> String {
    let end = url.find(['?', '#']).unwrap_or(url.len());
    let (url, query) = url.split_at(end);
    // A password may itself contain a slash or an @.
    let host = url.find('/').unwrap_or(url.len());
    let user = match url[..host].rfind('@') {
        Some(at) => Some(at).filter(|at| !names_container || url[..*at].contains(':')),
        None => url.rfind('@').filter(|at| url[..*at].contains(':')),
    };
    let url = user.map_or_else(|| url.to_owned(), |at| format!("{HIDDEN}{}", &url[at..]));
    match query.len() {
        0 | 1 => url + query,
        _ => format!("{url}{}{HIDDEN}", &query[..1]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_in_urls_are_hidden() {
        for (text, safe) in [
            ("at http://user:pw@host:9000/a: refused", "at http://***@host:9000/a: refused"),
            ("https://token@host/x", "https://***@host/x"),
            ("S3://KEY:hunter2@bucket/a.csv", "S3://***@bucket/a.csv"),
            ("(https://h/a?X-Amz-Signature=abc&b=1)", "(https://h/a?***"),
            ("az://c/a.csv?sig=x not found, s3://b/c", "az://c/a.csv?*** not found, s3://b/c"),
            ("http://u:pa'hunter2@h:1/x: refused", "http://***@h:1/x: refused"),
            ("https://u:p/w@host/x", "https://***@host/x"),
            ("abfss://c@a.dfs.core.windows.net/x", "abfss://c@a.dfs.core.windows.net/x"),
            ("s3://bucket/what?", "s3://bucket/what?"),
            ("no url: a@b.c?d", "no url: a@b.c?d"),
        ] {
            assert_eq!(redacted(text), safe);
        }
    }
}
