//! A client for Argo CD's Redis: enough of its protocol to read everything that is stored.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;

/// A connection.
pub struct Redis {
    stream: BufReader<TcpStream>,
}

/// An answer, without the difference between its kinds of texts.
enum Answer {
    Text(Vec<u8>),
    List(Vec<Self>),
    Missing,
}

impl Redis {
    pub fn connect(port: u16) -> Self {
        let stream = TcpStream::connect(("127.0.0.1", port)).expect("Redis listens");
        Self { stream: BufReader::new(stream) }
    }

    /// Returns all keys with all that is stored under them. A key that ends meanwhile has no values.
    pub fn entries(&mut self) -> Vec<(String, Vec<Vec<u8>>)> {
        let keys = self.ask(&[b"KEYS", b"*"]).flatten();
        keys.into_iter()
            .map(|key| {
                let kind = self.ask(&[b"TYPE", &key]).flatten().concat();
                let values = match kind.as_slice() {
                    b"string" => self.ask(&[b"GET", &key]),
                    b"hash" => self.ask(&[b"HGETALL", &key]),
                    b"list" => self.ask(&[b"LRANGE", &key, b"0", b"-1"]),
                    b"set" => self.ask(&[b"SMEMBERS", &key]),
                    b"zset" => self.ask(&[b"ZRANGE", &key, b"0", b"-1"]),
                    b"stream" => self.ask(&[b"XRANGE", &key, b"-", b"+"]),
                    b"none" => Answer::Missing,
                    other => panic!("a new type of Redis: {}", String::from_utf8_lossy(other)),
                };
                (String::from_utf8_lossy(&key).into_owned(), values.flatten())
            })
            .collect()
    }

    fn ask(&mut self, words: &[&[u8]]) -> Answer {
        let mut request = format!("*{}\r\n", words.len()).into_bytes();
        for word in words {
            request.extend_from_slice(format!("${}\r\n", word.len()).as_bytes());
            request.extend_from_slice(word);
            request.extend_from_slice(b"\r\n");
        }
        self.stream.get_mut().write_all(&request).expect("Redis reads");
        self.answer()
    }

    fn answer(&mut self) -> Answer {
        let mut line = String::new();
        self.stream.read_line(&mut line).expect("Redis answers");
        let (kind, rest) = line.trim_end().split_at(1);
        let length = rest.parse::<usize>();
        match (kind, length) {
            ("$", Ok(length)) => {
                let mut text = vec![0; length + 2];
                self.stream.read_exact(&mut text).expect("Redis answers");
                text.truncate(length);
                Answer::Text(text)
            }
            ("*", Ok(length)) => Answer::List((0..length).map(|_| self.answer()).collect()),
            ("$" | "*", Err(_)) => Answer::Missing,
            ("+" | ":", _) => Answer::Text(rest.as_bytes().to_vec()),
            _ => panic!("Redis: {rest}"),
        }
    }
}

impl Answer {
    /// Returns all texts in it.
    fn flatten(self) -> Vec<Vec<u8>> {
        match self {
            Self::Text(text) => vec![text],
            Self::List(answers) => answers.into_iter().flat_map(Self::flatten).collect(),
            Self::Missing => Vec::new(),
        }
    }
}
