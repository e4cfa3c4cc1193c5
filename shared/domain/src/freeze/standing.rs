//! What the freezes and the broken glass of this moment say to a change that wants to begin.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{BreakGlass, FreezeWindow};
use crate::control::{Control, Scope};
use crate::ids::{BreakGlassId, ExecutionId, FreezeId, StepId};
use crate::time::Time;

/// The answer of the freezes to a change.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum FreezeStanding {
    /// Nothing is frozen, or the execution is not bound by it.
    #[default]
    Open,
    /// It is frozen, and may begin all the same by this break-glass.
    Passed {
        frozen: Frozen,
        glass: BreakGlassId,
    },
    Frozen(Frozen),
}

/// A window that keeps changes from beginning, or a run that asks for none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Frozen {
    pub window: FreezeId,
    pub name: String,
    pub scope: Scope,
    pub until: Time,
    pub reason: String,
    /// The prerequisite that does not hold because of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prerequisite: Option<StepId>,
}

/// Why freezes do not bind an execution that they would bind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "camelCase")]
pub enum FreezePass {
    /// The glass was broken when it began.
    BreakGlass { id: BreakGlassId },
    /// It is a part of the execution of another runbook, which was bound itself.
    PartOf { execution: ExecutionId },
}

/// Whether a change in one of these scopes may begin. A broken glass of any of the scopes passes every window.
pub fn standing(controls: &[Control], glasses: &[BreakGlass], scopes: &[Scope], now: Time) -> FreezeStanding {
    let Some(frozen) = frozen(controls, now) else { return FreezeStanding::Open };
    let passing = glasses.iter().filter(|glass| glass.is_in_force(now) && scopes.contains(&glass.scope));
    match passing.max_by_key(|glass| glass.ends_at()) {
        Some(glass) => FreezeStanding::Passed { frozen, glass: glass.id.clone() },
        None => FreezeStanding::Frozen(frozen),
    }
}

/// The window in force that ends last.
pub fn frozen(controls: &[Control], now: Time) -> Option<Frozen> {
    let windows = controls.iter().flat_map(|control| {
        let windows = control.freezes.iter().flat_map(|calendar| &calendar.windows);
        windows.map(|window| (&control.scope, window)).filter(|(_, window)| window.is_in_force(now))
    });
    let (scope, window) = windows.max_by_key(|(_, window)| window.until)?;
    Some(Frozen::by(scope, window))
}

impl Frozen {
    fn by(scope: &Scope, window: &FreezeWindow) -> Self {
        Self {
            window: window.id.clone(),
            name: window.name.clone(),
            scope: scope.clone(),
            until: window.until,
            reason: window.reason.clone(),
            prerequisite: None,
        }
    }
}

impl FreezeStanding {
    /// The same, told of a run that asks by this prerequisite that nothing is frozen.
    #[must_use]
    pub fn asked_by(mut self, asking: Option<&StepId>) -> Self {
        match &mut self {
            Self::Open => {}
            Self::Passed { frozen, .. } | Self::Frozen(frozen) => frozen.prerequisite = asking.cloned(),
        }
        self
    }

    /// Whether a change may begin, and by which break-glass; `Err` says why not, as it is shown to people.
    pub fn clearance(&self) -> Result<Option<BreakGlassId>, String> {
        match self {
            Self::Open => Ok(None),
            Self::Passed { glass, .. } => Ok(Some(glass.clone())),
            // A prerequisite that does not hold is told like any other.
            Self::Frozen(frozen @ Frozen { prerequisite: Some(_), .. }) => Err(frozen.to_string()),
            Self::Frozen(frozen) => Err(format!("Stopped: {frozen}")),
        }
    }
}

impl fmt::Display for Frozen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, scope, until, reason, prerequisite, .. } = self;
        if let Some(id) = prerequisite {
            write!(f, "prerequisite {id}: ")?;
        }
        write!(f, "the change freeze \"{name}\" ({scope}) is in force until {until}: {reason}")
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::FreezeCalendar;
    use super::*;
    use crate::audit::ChainHead;

    const NOW: Time = Time::from_millis(1_772_366_400_000);
    const HOUR: Duration = Duration::from_hours(1);

    /// A window of each pair of hours, counted from now; its name is its place.
    fn frozen_in(scope: Scope, hours: &[(u32, u32)]) -> Control {
        let window = |(place, (from, until)): (usize, &(u32, u32))| FreezeWindow {
            id: FreezeId::new(NOW, 1),
            name: place.to_string(),
            from: NOW.minus(HOUR).plus(HOUR * *from),
            until: NOW.minus(HOUR).plus(HOUR * *until),
            reason: "sale".into(),
            set_by: "ann".parse().expect("valid"),
            set_at: NOW,
        };
        let windows = hours.iter().enumerate().map(window).collect();
        let freezes = FreezeCalendar { windows, audit: ChainHead::default() };
        Control { freezes: Some(freezes), ..Control::unset(scope) }
    }

    fn ops() -> Scope {
        Scope::Team("ops".parse().expect("valid"))
    }

    fn check(global: &[(u32, u32)], team: &[(u32, u32)], expected: Option<&str>) {
        let controls = [frozen_in(Scope::Global, global), frozen_in(ops(), team)];
        let seen = frozen(&controls, NOW).map(|frozen| format!("{} {}", frozen.scope, frozen.name));
        assert_eq!(seen.as_deref(), expected, "{global:?} {team:?}");
    }

    #[test]
    fn of_windows_that_overlap_the_one_that_ends_last_is_named() {
        // Now is the hour 1.
        check(&[], &[], None);
        check(&[(0, 1), (2, 3)], &[], None);
        check(&[(1, 2)], &[], Some("global 0"));
        check(&[], &[(0, 2)], Some("team:ops 0"));
        check(&[(0, 3), (0, 5), (1, 4)], &[], Some("global 1"));
        check(&[(0, 3)], &[(1, 4)], Some("team:ops 0"));
        check(&[(0, 9)], &[(1, 4), (2, 99)], Some("global 0"));
    }

    fn glass(number: u128, scope: Scope, hours: u32) -> BreakGlass {
        BreakGlass {
            id: BreakGlassId::new(NOW, number),
            scope,
            reason: "down".into(),
            by: "bob".parse().expect("valid"),
            at: NOW.minus(HOUR),
            expires_at: NOW.minus(HOUR).plus(HOUR * hours),
            revoked: None,
            reviewed: None,
        }
    }

    fn passes(glasses: &[BreakGlass]) -> Option<BreakGlassId> {
        let scopes = [Scope::Global, ops()];
        let controls = [frozen_in(ops(), &[(0, 3)])];
        match standing(&controls, glasses, &scopes, NOW) {
            FreezeStanding::Passed { glass, .. } => Some(glass),
            FreezeStanding::Open => panic!("it is frozen"),
            FreezeStanding::Frozen(_) => None,
        }
    }

    #[test]
    fn a_glass_of_one_of_the_scopes_passes_while_it_is_in_force() {
        let web = Scope::Team("web".parse().expect("valid"));
        assert_eq!(passes(&[]), None);
        assert_eq!(passes(&[glass(1, web, 2)]), None);
        assert_eq!(passes(&[glass(1, Scope::Global, 1)]), None, "it expires at this moment");
        assert_eq!(passes(&[glass(1, Scope::Global, 2)]), Some(BreakGlassId::new(NOW, 1)));
        let both = [glass(1, Scope::Global, 2), glass(2, ops(), 3)];
        assert_eq!(passes(&both), Some(BreakGlassId::new(NOW, 2)), "the one that ends last");
    }

    #[test]
    fn what_is_frozen_says_by_what_and_until_when() {
        let controls = [frozen_in(ops(), &[(0, 3)])];
        let refused = standing(&controls, &[], &[], NOW).clearance();
        let text =
            "Stopped: the change freeze \"0\" (team:ops) is in force until 2026-03-01T14:00:00.000Z: sale";
        assert_eq!(refused, Err(text.to_owned()));
        assert_eq!(standing(&[], &[], &[], NOW).clearance(), Ok(None));
        let calm = "calm".parse().expect("valid");
        let asked = standing(&controls, &[], &[], NOW).asked_by(Some(&calm)).clearance();
        let text = text.replace("Stopped: ", "prerequisite calm: ");
        assert_eq!(asked, Err(text));
    }
}
