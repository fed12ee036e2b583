//! Turns stage problems and rule drafts into findings: resolves places and pointers, and marks confidential ones.

use std::collections::{BTreeMap, HashSet};
use std::path::Path;

use super::input::{CheckedInput, ObjectSet};
use super::locate::SourceLocator;
use super::pointer::PathIndex;
use super::tag_advice;
use crate::examine::StageProblem;
use crate::located::ObjectLocation;
use crate::reporter::{FindingDraft, FindingSubject};
use crate::{Finding, ObjectRef, RelatedLabel, RelatedPlace, Span, rules};
use sealwave_core::diagnostic::{Problem, ProblemPlace};
use sealwave_core::document::{Manifest, Origin, SourceLocation, display_path};
use sealwave_kube::is_secret_like;
use sealwave_secrets::settings::APP_FILE;

/// Builds findings with their places.
pub(super) struct FindingBuilder<'a> {
    pub(super) input: CheckedInput<'a>,
    sets: Vec<ObjectSet<'a>>,
    pub(super) locator: SourceLocator<'a>,
}

/// The properties of an object that its findings share.
struct ObjectContext<'a> {
    name: ObjectRef,
    is_secret_like: bool,
    paths: PathIndex<'a>,
}

impl<'a> ObjectContext<'a> {
    fn new(object: &'a Manifest) -> Self {
        Self {
            name: object_ref(object),
            is_secret_like: is_secret_like(object.root()),
            paths: PathIndex::new(object.root()),
        }
    }
}

impl<'a> FindingBuilder<'a> {
    pub(super) fn new(input: CheckedInput<'a>) -> Self {
        let values = input.sets().filter_map(ObjectSet::values).collect();
        Self {
            input,
            sets: input.sets().collect(),
            locator: SourceLocator::new(input.sources(), input.texts(), values),
        }
    }

    /// Returns the findings of the stages.
    pub(super) fn stage_findings(&self) -> impl Iterator<Item = Finding> + use<'_, 'a> {
        self.input.sets().flat_map(move |set| {
            // A stage gives the start of an object, which has no width.
            let objects = set.objects().iter().filter(|_| !set.problems().is_empty());
            let starts: BTreeMap<Origin, Origin> =
                objects.map(|object| (object.origin(), object.root().display_origin())).collect();
            let explained = self.explained(set);
            let is_explained =
                move |problem: &Problem| matches!(problem.at, ProblemPlace::Origin(at) if explained.contains(&at));
            let problems = set.problems().iter().filter(move |reported| !is_explained(&reported.problem));
            problems.filter_map(move |problem| self.stage(set, &starts, problem))
        })
    }

    /// Returns the positions at which an enabled rule reports more exactly what a stage fails on.
    fn explained(&self, set: ObjectSet<'a>) -> HashSet<Origin> {
        let objects = set.objects().iter().filter(|_| !set.problems().is_empty());
        objects.flat_map(|object| self.input.options().explained_positions(object)).collect()
    }

    fn stage(
        &self,
        set: ObjectSet<'a>,
        starts: &BTreeMap<Origin, Origin>,
        reported: &StageProblem,
    ) -> Option<Finding> {
        let problem = &reported.problem;
        let rule = &problem.kind.map_or(reported.rule, rules::rule_of).info;
        let severity = self.input.options().stage_level(rule, reported.severity)?;
        let (span, related) = match &problem.at {
            // Plain manifests have no app file.
            ProblemPlace::Unknown => {
                let place = self.input.app().map(|app| app_file_place(&app.directory));
                (place.map(|place| Span { place, width: 0 }), Vec::new())
            }
            ProblemPlace::Origin(origin) => {
                let origin = *starts.get(origin).unwrap_or(origin);
                let (span, mut related) = self.locator.locate(origin);
                // The values that a stage failed on may be secrets.
                for value in &mut related {
                    value.confidential = true;
                }
                (Some(span), related)
            }
            ProblemPlace::Place(place) => (Some(Span { place: place.clone(), width: 0 }), Vec::new()),
        };
        Some(Finding {
            hint: problem.hint.clone(),
            span,
            related,
            app: self.input.app_name(),
            environments: set.environment_names(),
            // The text there could not be processed; it may be part of a Secret.
            confidential: true,
            ..Finding::new(rule, severity, problem.message.clone())
        })
    }

    /// Turns drafts into findings, keeping their order. Drafts about one object share its path index.
    pub(super) fn findings(&self, drafts: Vec<FindingDraft>) -> Vec<Finding> {
        let mut numbered: Vec<(usize, FindingDraft)> = drafts.into_iter().enumerate().collect();
        numbered.sort_by_key(|(number, draft)| (draft.subject, *number));
        let mut found: Vec<(usize, Finding)> = Vec::with_capacity(numbered.len());
        let mut known: Option<(FindingSubject, Option<ObjectContext<'_>>)> = None;
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

    fn object(&self, subject: FindingSubject) -> Option<ObjectContext<'a>> {
        let set = subject.environment()?.of(&self.sets)?;
        subject.object()?.of(set.objects()).map(ObjectContext::new)
    }

    fn finding(&self, draft: FindingDraft, object: Option<&ObjectContext<'_>>) -> Finding {
        let set = draft.subject.environment().and_then(|index| index.of(&self.sets)).copied();
        let is_secret_like = object.is_some_and(|object| object.is_secret_like);
        let confidential = draft.confidential || is_secret_like;
        let path = object.and_then(|object| match &draft.location {
            ObjectLocation::Origin(at) => object.paths.path(*at),
            ObjectLocation::Path(path) => Some(object.paths.resolve(&path.pointer())),
            ObjectLocation::Pointer(pointer) => Some(object.paths.resolve(pointer)),
        });
        let at = path.as_ref().map_or(draft.at, |path| path.place(draft.at));
        let (span, mut related) = self.place(draft.at, at);
        // If a value is printed as a whole, it is not more confidential than the place that shows it.
        for related in &mut related {
            related.confidential |= confidential;
        }
        related.splice(
            0..0,
            draft.related.into_iter().map(|(at, label)| {
                let inside = object.is_some_and(|object| object.paths.contains(at));
                self.related(at, label, confidential || !inside)
            }),
        );
        related.extend(draft.related_files.into_iter().map(|(place, label)| RelatedPlace {
            label: RelatedLabel::Text(label),
            span: Span { place, width: 0 },
            confidential: true,
        }));
        let tag = self.locator.tag(at).or_else(|| self.locator.tag(draft.at)).filter(|_| !confidential);
        let advise = |spelling| tag.and_then(|(tag, has_text)| tag_advice::advise(tag, has_text, spelling));
        let sets = draft.environments.iter().filter_map(|environment| environment.of(&self.sets));
        let sets = if draft.environments.is_empty() {
            set.into_iter().collect()
        } else {
            sets.copied().collect::<Vec<_>>()
        };
        let environments = sets.into_iter().flat_map(ObjectSet::environment_names).collect();
        // A place that environments share may be listed as a related place of itself.
        related.retain(|related| !is_same(&related.span.place, &span.place));
        Finding {
            rule: draft.rule,
            severity: draft.severity,
            message: draft.message,
            hint: draft.spelling.and_then(advise).or(draft.hint),
            span: Some(span),
            related,
            object: object.map(|object| object.name.clone()),
            pointer: path.map(|path| path.pointer(is_secret_like)).unwrap_or_default(),
            app: self.input.app_name(),
            environments,
            confidential,
            missing_field: draft.missing_field,
            held_back: draft.held_back,
        }
    }

    /// Returns the better position unless only the original one leads to a printed value; with the sources of values.
    fn place(&self, at: Origin, better: Origin) -> (Span, Vec<RelatedPlace>) {
        let shown = self.locator.locate(better);
        if at == better || !shown.1.is_empty() {
            return shown;
        }
        Some(self.locator.locate(at)).filter(|(_, values)| !values.is_empty()).unwrap_or(shown)
    }

    /// Returns a related place.
    fn related(&self, at: Origin, label: String, confidential: bool) -> RelatedPlace {
        RelatedPlace { label: RelatedLabel::Text(label), span: self.locator.locate(at).0, confidential }
    }
}

/// Returns the place for findings about an app as a whole.
pub(super) fn app_file_place(directory: &str) -> SourceLocation {
    SourceLocation {
        path: display_path(&Path::new(directory).join(APP_FILE)),
        line: 0,
        column: 0,
        rendered: None,
    }
}

fn is_same(a: &SourceLocation, b: &SourceLocation) -> bool {
    (&a.path, a.line, a.column) == (&b.path, b.line, b.column)
}

fn object_ref(manifest: &Manifest) -> ObjectRef {
    ObjectRef {
        api_version: manifest.api_version().to_owned(),
        kind: manifest.kind().to_owned(),
        namespace: manifest.namespace().to_owned(),
        name: manifest.name().to_owned(),
    }
}
