//! Who plays the provider, and what goes wrong in between.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use berth_model::time::Instant;
use berth_runtime::egress::stage::{Cue, Stage, StagedAnswer, StagedRequest};

use crate::{
    Provider,
    recording::{Exchange, Recording, target},
};

/// What goes wrong during one call.
#[derive(Debug, Clone, Default)]
pub(crate) enum Fault {
    /// Nothing.
    #[default]
    None,
    /// Every request gets this answer, and the provider is never asked.
    Always(StagedAnswer),
    /// Every connection breaks before the provider is asked.
    Unreachable,
    /// So many changes pass; the next request that changes something is done, and its answer is lost.
    AnswerLost(u32),
    /// The first request that changes something gets this answer in place of the provider's, and is not done.
    Instead(StagedAnswer),
    /// Whatever is asked after the first request, it gets the answer of the first.
    SameAgain,
}

/// The stage of a check.
pub(crate) struct Player {
    recording: Option<Arc<Recording>>,
    live: bool,
    /// Ends of the paths of POSTs that change nothing.
    questions: Vec<String>,
    scene: Mutex<Scene>,
}

struct Scene {
    case: String,
    fault: Fault,
    /// Requests of this call.
    requests: Vec<StagedRequest>,
    first: Option<StagedAnswer>,
    /// Changes of this call that passed.
    passed: u32,
    /// A change was met by its fault already.
    struck: bool,
    /// What the recording still has for this case.
    left: VecDeque<Exchange>,
    /// A request of this case that had no answer.
    missing: Option<String>,
    recorded: Recording,
}

impl Scene {
    /// A change is done: is its answer lost?
    fn loses_answer(&mut self) -> bool {
        match self.fault {
            Fault::AnswerLost(passing) if !self.struck => {
                self.struck = self.passed == passing;
                self.passed += 1;
                self.struck
            }
            _ => false,
        }
    }
}

impl Player {
    pub(crate) fn new(provider: &Provider, questions: Vec<String>, now: Instant) -> Self {
        let recording = match provider {
            Provider::Recording(recording) => Some(Arc::clone(recording)),
            Provider::Nobody | Provider::Live => None,
        };
        Self {
            recording,
            live: matches!(provider, Provider::Live),
            questions,
            scene: Mutex::new(Scene {
                case: String::new(),
                fault: Fault::None,
                requests: Vec::new(),
                first: None,
                passed: 0,
                struck: false,
                left: VecDeque::new(),
                missing: None,
                recorded: Recording { now, cases: std::collections::BTreeMap::new() },
            }),
        }
    }

    fn scene(&self) -> MutexGuard<'_, Scene> {
        self.scene.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// May it change something? A POST that only asks looks like any other: the set-up names those.
    pub(crate) fn may_change(&self, request: &StagedRequest) -> bool {
        match request.method.as_str() {
            "GET" | "HEAD" | "OPTIONS" | "PROPFIND" | "REPORT" => false,
            "POST" => !self.questions.iter().any(|end| request.url.path().ends_with(end.as_str())),
            _ => true,
        }
    }

    pub(crate) fn is_nobody(&self) -> bool {
        !self.live && self.recording.is_none()
    }

    /// A new case.
    pub(crate) fn enter(&self, case: &str) {
        let mut scene = self.scene();
        case.clone_into(&mut scene.case);
        scene.missing = None;
        scene.left =
            self.recording.as_ref().and_then(|r| r.cases.get(case)).cloned().unwrap_or_default().into();
    }

    /// A new call.
    pub(crate) fn begin(&self, fault: Fault) {
        let mut scene = self.scene();
        (scene.fault, scene.passed, scene.struck, scene.first) = (fault, 0, false, None);
        scene.requests.clear();
    }

    /// The requests of the call.
    pub(crate) fn end(&self) -> Vec<StagedRequest> {
        std::mem::take(&mut self.scene().requests)
    }

    /// A request of this case that nobody answered.
    pub(crate) fn missing(&self) -> Option<String> {
        self.scene().missing.clone()
    }

    pub(crate) fn recorded(&self) -> Recording {
        self.scene().recorded.clone()
    }

    /// The provider's answer, if it is not live.
    fn recorded_answer(&self, scene: &mut Scene, request: &StagedRequest) -> Cue {
        if self.live {
            return Cue::Ask;
        }
        let found = scene.left.iter().position(|exchange| exchange.answers(request));
        if let Some(exchange) = found.and_then(|at| scene.left.remove(at)) {
            return Cue::Answer(exchange.answer());
        }
        let line = format!("{} {}", request.method, target(request));
        scene.missing.get_or_insert(line);
        Cue::Break
    }
}

impl Stage for Player {
    fn before(&self, request: &StagedRequest) -> Cue {
        let mut scene = self.scene();
        scene.requests.push(request.clone());
        let strikes = self.may_change(request) && !scene.struck;
        match scene.fault.clone() {
            Fault::Always(answer) => return Cue::Answer(answer),
            Fault::Unreachable => return Cue::Break,
            Fault::Instead(answer) if strikes => {
                scene.struck = true;
                return Cue::Answer(answer);
            }
            Fault::SameAgain => {
                if let Some(first) = scene.first.clone() {
                    return Cue::Answer(first);
                }
            }
            Fault::None | Fault::AnswerLost(_) | Fault::Instead(_) => {}
        }
        let cue = self.recorded_answer(&mut scene, request);
        if let Cue::Answer(answer) = &cue {
            scene.first.get_or_insert_with(|| answer.clone());
            if self.may_change(request) && scene.loses_answer() {
                return Cue::Break;
            }
        }
        cue
    }

    fn after(&self, request: &StagedRequest, answer: StagedAnswer) -> Option<StagedAnswer> {
        let mut scene = self.scene();
        let exchange = Exchange::new(request, &answer);
        let case = scene.case.clone();
        scene.recorded.cases.entry(case).or_default().push(exchange);
        scene.first.get_or_insert_with(|| answer.clone());
        let lost = self.may_change(request) && scene.loses_answer();
        (!lost).then_some(answer)
    }
}
