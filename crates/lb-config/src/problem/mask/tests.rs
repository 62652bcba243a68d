use super::*;

fn secrets(text: &str) -> String {
    Hidden::of(text).masked(text)
}

#[test]
fn secrets_become_stars_and_nothing_else_does() {
    for (text, masked) in [
        ("secret = \"hunter2\"\nx = 1", "secret = \"*******\"\nx = 1"),
        (
            "{ kind = \"k\", secret='a b', path = \"/\" }",
            "{ kind = \"k\", secret='***', path = \"/\" }",
        ),
        ("secret = \"a\\\"b\" # \"c\"", "secret = \"****\" # \"c\""),
        ("secret = hunter2, x", "secret = **********"),
        ("\"secret\" = \"x\"", "\"secret\" = \"*\""),
        ("secret = \"open\nnext", "secret = \"****\nnext"),
        ("secret = \"\"\"a\nb\"\"\"", "secret = \"\"\"*\n*\"\"\""),
        ("secret_file = \"/etc/x\"", "secret_file = \"/etc/x\""),
        ("secret_file = \"abcdef\"", "secret_file = \"******\""),
        ("my_secret = \"x\"", "my_secret = \"*\""),
        ("name = \"secret\"", "name = \"secret\""),
        ("# a secret is", "# a secret is"),
        ("secret", "secret"),
        ("secret = \"ä\"", "secret = \"**\""),
        ("secret = “a b”\nx", "secret = *********\nx"),
        ("secret = \"a\" b", "secret = \"*\"**"),
        ("secret hunter2", "secret *******"),
        ("cookie SRV secret hunter2", "cookie SRV secret *******"),
        ("name = \"x\" # the secret is", "name = \"x\" # the secret is"),
        ("secret_file = \"key.txt\"", "secret_file = \"key.txt\""),
        ("secret =\nhunter2\nx", "secret =\n*******\nx"),
        ("[pools.secret]\nvalue = \"a\"", "[pools.secret]\nvalue =****"),
        (
            "headers = [\"X-A: b\", \"Host: c\"]",
            "headers = [\"X-A: *\", \"Host: c\"]",
        ),
        (
            "headers = [\"a\",\n\"b c\"]\nx = 1",
            "headers = [\"*\",\n\"***\"]\nx = 1",
        ),
        ("headrs = { A = \"b\" }", "headrs = { A = \"*\" }"),
        (
            "[h.headers]\nA = \"b\"\n[x]\nA = \"b\"",
            "[h.headers]\nA =****\n[x]\nA = \"b\"",
        ),
        ("to = \"http://a:b@c/d\"", "to = \"http://***@c/d\""),
        ("[\"a:b@c:80\", \"d@e\"]", "[\"***@c:80\", \"d@e\"]"),
        ("to = \"https://a/?token=b&c=d\"", "to = \"https://a/?token=*&c=d\""),
        (
            "secure = true\nserver = \"a\"\nkind = \"b\"",
            "secure = true\nserver = \"a\"\nkind = \"b\"",
        ),
        ("\"sec\\u0072et\" = \"a\"", "\"sec\\u0072et\" = \"*\""),
        ("a.secret.b = \"c\"", "a.secret.b = \"*\""),
        ("secret = [\"a\", 'b']", "secret = [\"*\", '*']"),
        ("ѕecret = \"a\"", "ѕecret = \"*\""),
    ] {
        assert_eq!(secrets(text), masked);
        assert_eq!(secrets(text).len(), text.len());
    }
}
