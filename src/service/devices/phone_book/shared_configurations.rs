//! One copy of each configuration, however many devices have it: those of a site were made from a
//! few templates.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::Mutex;

use crate::domain::phone::PhoneConfiguration;
use crate::locks;

/// Configurations kept before those that no device has any more are looked for.
const LOOK_AFTER: usize = 1_024;

/// The configurations that devices have.
#[derive(Debug, Default)]
pub(super) struct SharedConfigurations(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    configurations: HashSet<Arc<PhoneConfiguration>>,
    look_at: usize,
}

impl SharedConfigurations {
    /// The copy that others have already, or this one from now on.
    pub(super) fn share(&self, wanted: &Arc<PhoneConfiguration>) -> Arc<PhoneConfiguration> {
        let mut kept = locks::lock(&self.0);
        if let Some(shared) = kept.configurations.get(wanted) {
            return Arc::clone(shared);
        }
        if kept.configurations.len() >= kept.look_at.max(LOOK_AFTER) {
            kept.configurations
                .retain(|configuration| Arc::strong_count(configuration) > 1);
            kept.look_at = kept.configurations.len() * 2;
        }
        kept.configurations.insert(Arc::clone(wanted));
        Arc::clone(wanted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::fresh_system;

    #[test]
    fn equal_configurations_are_one_and_those_of_nobody_are_forgotten() {
        let catalogue = fresh_system::catalogue("https://10.0.0.1/");
        let mut templates = catalogue.universal_device_templates.into_values();
        let template = templates.next().unwrap().configuration;
        let with_timer = |seconds| {
            Arc::new(PhoneConfiguration {
                idle_timer_s: Some(seconds),
                ..template.clone()
            })
        };
        let shared = SharedConfigurations::default();
        let first = shared.share(&with_timer(0));
        assert!(Arc::ptr_eq(&first, &shared.share(&with_timer(0))));
        for seconds in 1..=2_048 {
            shared.share(&with_timer(seconds));
        }
        let kept = shared.0.lock().unwrap().configurations.len();
        assert!(kept <= LOOK_AFTER + 1, "{kept} kept, one used");
        assert!(Arc::ptr_eq(&first, &shared.share(&with_timer(0))));
    }
}
