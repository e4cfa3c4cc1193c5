//! Change freezes (D7): windows in which no change begins, and how a platform admin lets one begin all the same.
//!
//! What has begun goes on, because half a change is worse than none, and what takes a change back is never frozen.

mod calendar;
mod glass;
mod standing;

pub use self::calendar::{
    CalendarFull, FreezeCalendar, FreezeScope, FreezeWindow, MAX_WINDOWS, NewWindow, WINDOW_MEMORY,
};
pub use self::glass::{
    BreakGlass, BreakGlassLog, GlassRefusal, GlassReview, LONGEST_GLASS, MAX_GLASSES, NewBreakGlass,
    Revocation, USUAL_GLASS, note_faults,
};
pub use self::standing::{FreezePass, FreezeStanding, Frozen, frozen, standing};
