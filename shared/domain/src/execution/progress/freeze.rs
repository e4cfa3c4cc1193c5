//! What is stored of a change that begins although changes are frozen.

use super::Progress;
use crate::execution::TrailEvent;
use crate::execution::decide::Effect;
use crate::freeze::FreezePass;
use crate::ids::BreakGlassId;

impl Progress<'_> {
    /// The first break-glass that lets the execution go on lets it go on to its end.
    pub(in crate::execution) fn pass_freeze(&mut self, pass: Option<BreakGlassId>) {
        let Some(id) = pass.filter(|_| self.execution.freeze_pass.is_none()) else { return };
        let reason = Some(format!("by break-glass {id}"));
        self.trail(TrailEvent::FreezePassed { glass: id.clone() });
        self.effect(Effect::Audit { action: "execution.freeze_passed", actor: None, reason });
        self.execution.freeze_pass = Some(FreezePass::BreakGlass { id });
    }
}
