//! What a phone does when its server tells it to: service-control, check-sync, REFER, OPTIONS.
//!
//! Source: phones answer 400 unless `RegisterCallId` is that of their own REGISTER.

use super::{Cause, Event, Handset, Message, StartLine};

/// What a NOTIFY asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Control {
    action: String,
    register_call_id: Option<String>,
    version_stamp: Option<String>,
}

impl Handset {
    /// Answers a request and does what it asks for.
    pub(super) async fn answer(&mut self, request: Message) {
        let StartLine::Request(method) = &request.start else {
            return;
        };
        match method.as_str() {
            "NOTIFY" => self.take_notify(&request).await,
            "REFER" => self.respond(&request, 202, "Accepted").await,
            "OPTIONS" => self.respond(&request, 200, "OK").await,
            "ACK" => {}
            "INVITE" => self.respond(&request, 486, "Busy Here").await,
            _ => self.respond(&request, 501, "Not Implemented").await,
        }
    }

    async fn respond(&mut self, request: &Message, status: u16, reason: &str) {
        if let Some(session) = self.session.as_mut()
            && let Err(error) = session.respond(request, status, reason).await
        {
            self.lose_link(&error);
        }
    }

    async fn take_notify(&mut self, request: &Message) {
        let event = request.header("Event").unwrap_or_default();
        let control = match event.split(';').next().map(str::trim) {
            Some("service-control") => read_control(&request.body),
            Some("check-sync") => Control {
                action: "restart".to_owned(),
                register_call_id: None,
                version_stamp: None,
            },
            _ => return self.respond(request, 489, "Bad Event").await,
        };
        let ours = self.session.as_ref().map(super::Session::call_id);
        let matches = control
            .register_call_id
            .as_deref()
            .is_none_or(|id| Some(id) == ours);
        let is_service_control = event.starts_with("service-control");
        let named = !is_service_control || control.register_call_id.is_some();
        let (answered, reason) = if matches && named {
            (200, "OK")
        } else {
            (400, "Bad Request")
        };
        self.respond(request, answered, reason).await;
        let action = control.action.clone();
        self.report(Event::Control { action, answered });
        if answered == 200 {
            self.obey(control).await;
        }
    }

    async fn obey(&mut self, control: Control) {
        match control.action.as_str() {
            "restart" => self.restart(Cause::ResetRestart).await,
            "reset" => self.restart(Cause::ResetReset).await,
            "check-version" => {
                let held = self
                    .config
                    .as_ref()
                    .map(|config| config.version_stamp.clone());
                if control.version_stamp.is_some() && control.version_stamp != held {
                    self.restart(Cause::ResetRestart).await;
                }
            }
            _ => {}
        }
    }

    /// Goes down, reads the files again (a restart only the configuration) and comes back.
    async fn restart(&mut self, cause: Cause) {
        self.restarts += 1;
        self.idle_at = None;
        self.register_at = None;
        self.replace_at = None;
        if self.display.take().is_some() {
            self.report(Event::Closed);
        }
        if let Some(mut session) = self.session.take() {
            session.unregister(cause).await;
            self.registered = false;
            self.report(Event::Unregistered);
        }
        if let Err(error) = self.read_files(cause == Cause::ResetReset).await {
            // A phone that cannot read its files goes on with those it has.
            self.problem(error.to_string());
        }
        self.start_session(cause).await;
    }
}

/// Reads the lines `key=value` of a service-control body; values may stand in braces.
fn read_control(body: &[u8]) -> Control {
    let text = String::from_utf8_lossy(body);
    let value = |name: &str| {
        text.lines().find_map(|line| {
            let (key, value) = line.split_once('=')?;
            (key.trim() == name).then(|| value.trim().trim_matches(['{', '}']).to_owned())
        })
    };
    Control {
        action: value("action").unwrap_or_default(),
        register_call_id: value("RegisterCallId"),
        version_stamp: value("ConfigVersionStamp"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_control_body_is_read_with_either_line_end() {
        for end in ["\n", "\r\n"] {
            let body = [
                "action=reset",
                "RegisterCallId={a-b@1.2.3.4}",
                "ConfigVersionStamp={s}",
            ]
            .join(end);
            let expected = Control {
                action: "reset".into(),
                register_call_id: Some("a-b@1.2.3.4".into()),
                version_stamp: Some("s".into()),
            };
            assert_eq!(read_control(body.as_bytes()), expected);
        }
    }
}
