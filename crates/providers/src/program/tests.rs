use std::os::unix::fs::{PermissionsExt as _, symlink};

use super::*;

/// A directory tree with programs.
struct Tree(tempfile::TempDir);

impl Tree {
    fn new() -> Self {
        let tree = Self(tempfile::tempdir().expect("a directory"));
        for directory in ["bin", "more", "operator", "repo/.git", "repo/bin"] {
            fs_err::create_dir_all(tree.at(directory)).expect("made");
        }
        tree
    }

    fn at(&self, path: &str) -> PathBuf {
        fs_err::canonicalize(self.0.path()).expect("the directory").join(path)
    }

    fn program(&self, path: &str, mode: u32) {
        fs_err::write(self.at(path), "#!/bin/sh\nexit 9\n").expect("written");
        self.mode(path, mode);
    }

    fn mode(&self, path: &str, mode: u32) {
        fs_err::set_permissions(self.at(path), std::fs::Permissions::from_mode(mode)).expect("set");
    }

    fn check(&self, name: &str, search: &[&str]) -> Result<(String, Option<ProgramFault>), ProgramFault> {
        let path = std::env::join_paths(search.iter().map(|part| match *part {
            "" | "." | "bin" => PathBuf::from(part),
            part => self.at(part.trim_start_matches('/')),
        }));
        let program = LoginProgram {
            name: name.to_owned(),
            named_by: "the test".to_owned(),
            deciding_files: vec![self.at("operator/kubeconfig")],
            search_path: Some(path.expect("a search path")),
        };
        let checked = program.check(&self.at("operator")).map_err(|problem| problem.fault)?;
        Ok((checked.0, checked.1.map(|problem| problem.fault)))
    }

    fn absolute(&self, path: &str) -> Result<Option<ProgramFault>, ProgramFault> {
        self.check(&self.at(path).display().to_string(), &[]).map(|(_, warning)| warning)
    }
}

#[test]
fn a_name_is_searched_for_as_the_system_does() {
    let tree = Tree::new();
    tree.program("bin/login", 0o644);
    tree.program("more/login", 0o755);
    let found = format!("the test starts `{}`, found on `PATH`", tree.at("more/login").display());
    assert_eq!(tree.check("login", &["/bin", "/more"]), Ok((found, None)));
    assert_eq!(tree.check("login", &["/bin"]), Err(ProgramFault::NotExecutable));
    assert_eq!(tree.check("login", &["/operator"]), Err(ProgramFault::NotOnPath));
    for relative in ["", ".", "bin"] {
        assert_eq!(tree.check("login", &[relative, "/more"]), Err(ProgramFault::RelativeSearch));
        assert!(tree.check("login", &["/more", relative]).is_ok(), "it is found before");
    }
    for path in ["./login", "bin/login", "../login"] {
        assert_eq!(tree.check(path, &["/more"]), Err(ProgramFault::Relative), "{path}");
    }
}

#[test]
fn a_program_must_be_an_executable_file() {
    let tree = Tree::new();
    tree.program("bin/plain", 0o644);
    assert_eq!(tree.absolute("bin/plain"), Err(ProgramFault::NotExecutable));
    assert_eq!(tree.absolute("bin"), Err(ProgramFault::NotRegular));
    assert_eq!(tree.absolute("bin/none"), Err(ProgramFault::Unreadable("file not found".to_owned())));
    let made = std::process::Command::new("mkfifo").arg(tree.at("bin/pipe")).status().expect("mkfifo");
    assert!(made.success());
    assert_eq!(tree.absolute("bin/pipe"), Err(ProgramFault::NotRegular));
    symlink("loop", tree.at("bin/loop")).expect("a link");
    assert!(matches!(tree.absolute("bin/loop"), Err(ProgramFault::Unreadable(_))));
}

#[test]
fn a_program_in_a_repository_is_refused() {
    let tree = Tree::new();
    tree.program("bin/login", 0o755);
    tree.program("repo/bin/login", 0o755);
    let in_repository = Err(ProgramFault::InRepository(tree.at("repo")));
    assert_eq!(tree.absolute("repo/bin/login"), in_repository);
    symlink(tree.at("repo/bin/login"), tree.at("bin/to-repository")).expect("a link");
    symlink(tree.at("bin/login"), tree.at("repo/bin/from-repository")).expect("a link");
    assert_eq!(tree.absolute("bin/to-repository"), in_repository);
    assert_eq!(tree.absolute("repo/bin/from-repository"), in_repository);
    assert_eq!(tree.absolute("bin/login"), Ok(None));
}

#[test]
fn a_repository_does_not_choose_the_program_unless_it_has_the_operator_file() {
    let tree = Tree::new();
    tree.program("bin/login", 0o755);
    let file = tree.at("repo/kubeconfig");
    let program = LoginProgram {
        name: tree.at("bin/login").display().to_string(),
        named_by: "the test".to_owned(),
        deciding_files: vec![file.clone()],
        search_path: None,
    };
    let fault = ProgramFault::ChosenByRepository { file, repository: tree.at("repo") };
    assert_eq!(program.check(&tree.at("operator")).map_err(|problem| problem.fault), Err(fault));
    assert!(program.check(&tree.at("repo")).is_ok());
}

#[test]
fn a_program_that_others_can_change_is_a_warning() {
    let tree = Tree::new();
    tree.program("bin/login", 0o757);
    let login = tree.at("bin/login");
    assert_eq!(tree.absolute("bin/login"), Ok(Some(ProgramFault::Changeable(login))));
    tree.mode("bin/login", 0o775);
    for (mode, is_found) in [(0o777, true), (0o1777, false), (0o775, false)] {
        tree.mode("bin", mode);
        let expected = is_found.then(|| ProgramFault::Changeable(tree.at("bin")));
        assert_eq!(tree.absolute("bin/login"), Ok(expected), "{mode:o}");
    }
}

#[test]
fn the_program_of_a_command_is_its_first_plain_word() {
    for (command, expected) in [
        ("/opt/creds --token CANARY", Some("/opt/creds")),
        (" creds", Some("creds")),
        ("\"/opt/with space/creds\" --x", Some("/opt/with space/creds")),
        ("'creds'", Some("creds")),
        ("TOKEN=CANARY creds", None),
        ("$CANARY", None),
        ("\"$CANARY\" x", None),
        ("'a'CANARY", None),
        ("'CANARY", None),
        ("a;CANARY", None),
        ("`CANARY`", None),
        ("(CANARY)", None),
        ("~/creds", None),
        ("", None),
        ("''", None),
        ("\"a\nb\"", None),
    ] {
        assert_eq!(program_of_command(command), expected, "{command}");
    }
}
