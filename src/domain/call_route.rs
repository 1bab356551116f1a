//! Where a call goes: decided from who calls, the number dialled and what is reachable.
//!
//! selfprov is not a PBX. A call is put through to a phone that is registered here, or it belongs
//! to somebody else.

use super::fresh_system::NO_PARTITION;
use super::pkid::Pkid;

/// Who calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Caller {
    /// A device that somebody has claimed or an administrator made, and that has proven itself.
    Claimed,
    /// A device that waits to be claimed, on its own flow or from its own address, or proven.
    Unclaimed,
    /// The PBX.
    Pbx,
    /// Somebody at the address of a live binding who has not proven to be that device.
    Unproven,
    /// Anybody else.
    Stranger,
}

/// What the settings say about numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DialPlan {
    /// Whether the number dialled is that of the self-provisioning dialogue (IVR).
    pub is_ivr: bool,
    /// Whether it is an emergency number.
    pub is_emergency: bool,
    /// Whether emergency calls have somewhere to go.
    pub has_emergency_target: bool,
    /// What becomes of numbers that are not here.
    pub pbx: PbxCalls,
}

/// What becomes of calls to numbers that no phone here has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PbxCalls {
    /// There is no PBX: not found.
    None,
    /// They pass through us.
    Proxied,
    /// The phone is told to call the PBX itself (302).
    Redirected,
}

/// Where a call goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallRoute {
    /// To the self-provisioning dialogue.
    Ivr,
    /// To the emergency target.
    Emergency,
    /// To every live binding of the line with this number in this route partition.
    Line {
        /// The partition.
        route_partition: Pkid,
    },
    /// To the PBX, through us.
    Pbx,
    /// To the PBX, by the phone itself.
    Redirect,
}

/// Why a call goes nowhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CallRefused {
    /// The caller has to prove who it is first.
    #[error("the caller has not proven who it is")]
    Unproven,
    /// A phone that nobody has claimed calls the IVR and emergency numbers only.
    #[error("this phone waits to be set up and may call only the set-up and emergency numbers")]
    Unclaimed,
    /// Nobody here has the number, and there is no PBX.
    #[error("nobody here has this number, and no PBX is set (calls.pbx)")]
    NotFound,
    /// An emergency number, and nobody connects it.
    #[error("no emergency target is set (calls.emergency_target or calls.pbx)")]
    NoEmergencyTarget,
}

/// Decides where a call goes.
///
/// `lines` are the route partitions in which the number has a live binding (the caller's own device
/// left out); `search_space` is the caller's calling search space in its order. A line in no
/// partition can be called by everyone, one in a partition by those whose search space has it, and
/// by the PBX. Where several can be reached the search space's order decides, *no partition* last.
/// Source: CUCM System Configuration Guide, "Partitions and Calling Search Spaces".
///
/// # Errors
///
/// [`CallRefused`] when it goes nowhere.
pub fn route(
    caller: Caller,
    plan: DialPlan,
    lines: &[Pkid],
    search_space: &[Pkid],
) -> Result<CallRoute, CallRefused> {
    let is_known = !matches!(caller, Caller::Unproven | Caller::Stranger);
    if plan.is_ivr && is_known && caller != Caller::Pbx {
        return Ok(CallRoute::Ivr);
    }
    let may_call_emergency = caller != Caller::Pbx && caller != Caller::Stranger;
    if plan.is_emergency && may_call_emergency {
        return if plan.has_emergency_target {
            Ok(CallRoute::Emergency)
        } else {
            Err(CallRefused::NoEmergencyTarget)
        };
    }
    match caller {
        Caller::Unproven | Caller::Stranger => return Err(CallRefused::Unproven),
        Caller::Unclaimed => return Err(CallRefused::Unclaimed),
        Caller::Claimed | Caller::Pbx => {}
    }
    if let Some(route_partition) = reachable(caller, lines, search_space) {
        return Ok(CallRoute::Line { route_partition });
    }
    match (caller, plan.pbx) {
        // What the PBX does not find here must not go back to it: that would be a loop.
        (Caller::Pbx, _) | (_, PbxCalls::None) => Err(CallRefused::NotFound),
        (_, PbxCalls::Proxied) => Ok(CallRoute::Pbx),
        (_, PbxCalls::Redirected) => Ok(CallRoute::Redirect),
    }
}

/// The first partition, in the order of the search space, in which the number can be reached.
fn reachable(caller: Caller, lines: &[Pkid], search_space: &[Pkid]) -> Option<Pkid> {
    let searched = search_space.iter().find(|pkid| lines.contains(pkid));
    let open = || lines.iter().find(|pkid| **pkid == NO_PARTITION);
    let any = || lines.first().filter(|_| caller == Caller::Pbx);
    searched.or_else(open).or_else(any).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pkid(number: u128) -> Pkid {
        Pkid::from_u128(number)
    }

    const PLAN: DialPlan = DialPlan {
        is_ivr: false,
        is_emergency: false,
        has_emergency_target: true,
        pbx: PbxCalls::Proxied,
    };

    const EVERYBODY: [Caller; 5] = [
        Caller::Claimed,
        Caller::Unclaimed,
        Caller::Pbx,
        Caller::Unproven,
        Caller::Stranger,
    ];

    /// What each of [`EVERYBODY`] gets.
    fn all(plan: DialPlan, lines: &[Pkid]) -> [Result<CallRoute, CallRefused>; 5] {
        EVERYBODY.map(|caller| route(caller, plan, lines, &[]))
    }

    #[test]
    fn an_ordinary_number_is_for_claimed_phones_and_the_pbx() {
        use CallRefused as R;
        let line = CallRoute::Line {
            route_partition: NO_PARTITION,
        };
        let nobody = [Err(R::Unproven), Err(R::Unproven)];
        let [claimed, unclaimed, pbx, rest @ ..] = all(PLAN, &[NO_PARTITION]);
        assert_eq!((claimed, pbx), (Ok(line), Ok(line)));
        assert_eq!((unclaimed, rest), (Err(R::Unclaimed), nobody));
        let [claimed, unclaimed, pbx, rest @ ..] = all(PLAN, &[]);
        assert_eq!((claimed, pbx), (Ok(CallRoute::Pbx), Err(R::NotFound)));
        assert_eq!((unclaimed, rest), (Err(R::Unclaimed), nobody));
    }

    #[test]
    fn a_number_that_nobody_has_goes_where_the_settings_say() {
        for (pbx, expected) in [
            (PbxCalls::None, Err(CallRefused::NotFound)),
            (PbxCalls::Proxied, Ok(CallRoute::Pbx)),
            (PbxCalls::Redirected, Ok(CallRoute::Redirect)),
        ] {
            let plan = DialPlan { pbx, ..PLAN };
            assert_eq!(route(Caller::Claimed, plan, &[], &[]), expected);
        }
    }

    #[test]
    fn an_emergency_number_goes_out_for_everyone_with_a_binding_and_before_any_line() {
        let plan = DialPlan {
            is_emergency: true,
            ..PLAN
        };
        let [claimed, unclaimed, pbx, unproven, stranger] = all(plan, &[NO_PARTITION]);
        for caller in [claimed, unclaimed, unproven] {
            assert_eq!(caller, Ok(CallRoute::Emergency));
        }
        assert!(matches!(pbx, Ok(CallRoute::Line { .. })));
        assert_eq!(stranger, Err(CallRefused::Unproven));
        let nowhere = DialPlan {
            has_emergency_target: false,
            ..plan
        };
        let refused = Err(CallRefused::NoEmergencyTarget);
        assert_eq!(route(Caller::Unclaimed, nowhere, &[], &[]), refused);
    }

    #[test]
    fn the_ivr_takes_phones_that_are_known_and_nobody_else() {
        let plan = DialPlan {
            is_ivr: true,
            ..PLAN
        };
        let [claimed, unclaimed, pbx, unproven, stranger] = all(plan, &[]);
        assert_eq!(
            (claimed, unclaimed),
            (Ok(CallRoute::Ivr), Ok(CallRoute::Ivr))
        );
        assert_eq!(pbx, Err(CallRefused::NotFound));
        assert_eq!(unproven, Err(CallRefused::Unproven));
        assert_eq!(stranger, Err(CallRefused::Unproven));
    }

    #[test]
    fn a_line_in_a_partition_is_reached_by_those_whose_search_space_has_it() {
        let (sales, support) = (pkid(1), pkid(2));
        let reach = |caller, lines: &[Pkid], space: &[Pkid]| match route(caller, PLAN, lines, space)
        {
            Ok(CallRoute::Line { route_partition }) => Some(route_partition),
            _ => None,
        };
        assert_eq!(reach(Caller::Claimed, &[sales], &[]), None);
        assert_eq!(reach(Caller::Claimed, &[sales], &[support]), None);
        assert_eq!(
            reach(Caller::Claimed, &[sales], &[support, sales]),
            Some(sales)
        );
        let both = [NO_PARTITION, sales, support];
        assert_eq!(
            reach(Caller::Claimed, &both, &[support, sales]),
            Some(support)
        );
        assert_eq!(reach(Caller::Claimed, &both, &[]), Some(NO_PARTITION));
        assert_eq!(reach(Caller::Pbx, &[sales], &[]), Some(sales));
    }
}
