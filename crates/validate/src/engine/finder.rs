//! From what stages and rules say to findings: places that people can open, pointers, and what may not be shown.

use std::collections::{BTreeMap, HashSet};
use std::path::Path;

use super::Checking;
use super::locate::Locator;
use super::pointer::PathIndex;
use crate::examine::{ExaminedApp, ExaminedEnvironment, StageProblem};
use crate::rules::{self, Draft, ENCRYPTED_LEFTOVER, Subject, encrypted_by_sops};
use crate::{Finding, ObjectRef, Related, Span};
use sealwave_core::diagnostic::{At, Problem};
use sealwave_core::document::{Manifest, Origin, Place, display_path};
use sealwave_kube::is_secret_like;
use sealwave_secrets::settings::APP_FILE;

/// Gives findings their places.
pub(super) struct Finder<'a> {
    pub(super) app: &'a ExaminedApp,
    pub(super) checking: &'a Checking,
    pub(super) locator: Locator<'a>,
}

/// What all findings about one object need to know of it.
struct FoundObject<'a> {
    name: ObjectRef,
    is_secret_like: bool,
    paths: PathIndex<'a>,
}

impl<'a> FoundObject<'a> {
    fn new(object: &'a Manifest) -> Self {
        Self {
            name: object_ref(object),
            is_secret_like: is_secret_like(object.root()),
            paths: PathIndex::new(object.root()),
        }
    }
}

impl<'a> Finder<'a> {
    pub(super) fn new(app: &'a ExaminedApp, checking: &'a Checking) -> Self {
        let values = app.environments.iter().filter_map(|environment| environment.values.as_ref()).collect();
        Self { app, checking, locator: Locator::new(&app.sources, &app.texts, values) }
    }

    /// What the stages said.
    pub(super) fn stages(&self) -> impl Iterator<Item = Finding> + use<'_, 'a> {
        self.app.environments.iter().flat_map(move |environment| {
            // A stage says where an object starts, which has no width.
            let objects = environment.objects.iter().filter(|_| !environment.problems.is_empty());
            let starts: BTreeMap<Origin, Origin> =
                objects.map(|object| (object.origin(), object.root().shown_at())).collect();
            let encrypted = self.encrypted(environment);
            let is_encrypted =
                move |problem: &Problem| matches!(problem.at, At::Origin(at) if encrypted.contains(&at));
            let problems = environment.problems.iter().filter(move |said| !is_encrypted(&said.problem));
            problems.filter_map(move |problem| self.stage(environment, &starts, problem))
        })
    }

    /// What SOPS encrypted, by its places: a rule of its own reports it, where that is on.
    fn encrypted(&self, environment: &ExaminedEnvironment) -> HashSet<Origin> {
        let is_said = self.checking.level(&ENCRYPTED_LEFTOVER.info).is_some();
        let objects = environment.objects.iter().filter(|_| is_said && !environment.problems.is_empty());
        objects.flat_map(encrypted_by_sops).collect()
    }

    fn stage(
        &self,
        environment: &ExaminedEnvironment,
        starts: &BTreeMap<Origin, Origin>,
        said: &StageProblem,
    ) -> Option<Finding> {
        let problem = &said.problem;
        let rule = problem.rule.and_then(rules::rule).unwrap_or(&said.rule.info);
        let severity = self.checking.level_of_stage(rule, said.severity)?;
        let (span, related) = match &problem.at {
            // Plain manifests have no such file.
            At::Nowhere => {
                let file = Some(&self.app.directory).filter(|directory| !directory.is_empty());
                (file.map(|directory| Span { place: app_file(directory), width: 0 }), Vec::new())
            }
            At::Origin(origin) => {
                let origin = *starts.get(origin).unwrap_or(origin);
                let (span, mut related) = self.locator.locate(origin);
                // Nor is it known what a stage trips over.
                for value in &mut related {
                    value.confidential = true;
                }
                (Some(span), related)
            }
            At::Place(place) => (Some(Span { place: place.clone(), width: 0 }), Vec::new()),
        };
        Some(Finding {
            hint: problem.hint.clone(),
            span,
            related,
            app: self.app.directory.clone(),
            environments: named(environment),
            // What stands there was not understood; it may be a part of a Secret.
            confidential: true,
            ..Finding::new(rule, severity, problem.message.clone())
        })
    }

    /// Turns drafts into findings, in their order. Those about one object are done together, with one index of it.
    pub(super) fn findings(&self, drafts: Vec<Draft>) -> Vec<Finding> {
        let mut numbered: Vec<(usize, Draft)> = drafts.into_iter().enumerate().collect();
        numbered.sort_by_key(|(number, draft)| (draft.subject, *number));
        let mut found: Vec<(usize, Finding)> = Vec::with_capacity(numbered.len());
        let mut known: Option<(Option<Subject>, Option<FoundObject<'_>>)> = None;
        for (number, draft) in numbered {
            let subject = draft.subject;
            let (_, object) = match known.take().filter(|(same, _)| *same == subject) {
                Some(same) => known.insert(same),
                None => known.insert((subject, self.object(subject))),
            };
            found.push((number, self.finding(draft, object.as_ref())));
        }
        found.sort_by_key(|(number, _)| *number);
        found.into_iter().map(|(_, finding)| finding).collect()
    }

    fn object(&self, subject: Option<Subject>) -> Option<FoundObject<'a>> {
        let Subject { environment, object } = subject?;
        self.app.environments.get(environment)?.objects.get(object).map(FoundObject::new)
    }

    fn finding(&self, draft: Draft, object: Option<&FoundObject<'_>>) -> Finding {
        let environment = draft.subject.and_then(|subject| self.app.environments.get(subject.environment));
        let is_secret_like = object.is_some_and(|object| object.is_secret_like);
        let confidential = draft.confidential || is_secret_like;
        let path = object.and_then(|object| match &draft.pointer {
            Some(pointer) => Some(object.paths.given(pointer)),
            None => object.paths.path(draft.within.unwrap_or(draft.at)),
        });
        let at = path.as_ref().map_or(draft.at, |path| path.place(draft.at));
        let (span, mut related) = self.place(draft.at, at);
        // The values behind a place are no more secret than the place, where all of them is there.
        for related in &mut related {
            related.confidential |= confidential;
        }
        related.splice(
            0..0,
            draft.related.into_iter().map(|(at, label)| {
                let inside = object.is_some_and(|object| object.paths.has(at));
                self.related(at, label, confidential || !inside)
            }),
        );
        related.extend(draft.elsewhere.into_iter().map(|(place, label)| Related {
            label,
            span: Span { place, width: 0 },
            confidential: true,
        }));
        // What several environments share may be named as the other place of itself.
        related.retain(|related| !is_same(&related.span.place, &span.place));
        Finding {
            rule: draft.rule,
            severity: draft.severity,
            message: draft.message,
            hint: draft.hint,
            span: Some(span),
            related,
            object: object.map(|object| object.name.clone()),
            pointer: path.map(|path| path.pointer(is_secret_like)).unwrap_or_default(),
            app: self.app.directory.clone(),
            environments: environment.map(named).unwrap_or_default(),
            confidential,
        }
    }

    /// Where it stands, or where it is better shown; a value that a template printed leads to where it comes from.
    fn place(&self, at: Origin, better: Origin) -> (Span, Vec<Related>) {
        let shown = self.locator.locate(better);
        if at == better || !shown.1.is_empty() {
            return shown;
        }
        Some(self.locator.locate(at)).filter(|(_, values)| !values.is_empty()).unwrap_or(shown)
    }

    /// Another place; what stands in another object may be a secret whatever this finding is about.
    fn related(&self, at: Origin, label: String, confidential: bool) -> Related {
        Related { label, span: self.locator.locate(at).0, confidential }
    }
}

/// The place of what is wrong with an app as a whole.
pub(super) fn app_file(directory: &str) -> Place {
    Place { path: display_path(&Path::new(directory).join(APP_FILE)), line: 0, column: 0, rendered: None }
}

fn is_same(a: &Place, b: &Place) -> bool {
    (&a.path, a.line, a.column) == (&b.path, b.line, b.column)
}

/// Its name, where it has one: plain manifests are of no environment.
pub(super) fn named(environment: &ExaminedEnvironment) -> Vec<String> {
    Some(environment.name.clone()).filter(|name| !name.is_empty()).into_iter().collect()
}

fn object_ref(manifest: &Manifest) -> ObjectRef {
    ObjectRef {
        api_version: manifest.api_version().to_owned(),
        kind: manifest.kind().to_owned(),
        namespace: manifest.namespace().to_owned(),
        name: manifest.name().to_owned(),
    }
}
