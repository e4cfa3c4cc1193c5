//! The one table of routes, and the three routers that are made of it.

use std::sync::Arc;

use axum::extract::DefaultBodyLimit;
use axum::{Router, middleware};
use muster_app::App;
use tower::ServiceBuilder;

use crate::layers::correlation::correlate;
use crate::layers::require_principal::require_principal;
use crate::layers::security_headers::security_headers;
use crate::problem::{Kind, Problem};
use crate::route_table::{RouteTable, routes};
use crate::routes::{
    accounts, applicability, approvals, audit, bodies, break_glass, callbacks, decisions, events, execute,
    executions, freezes, gates, hooks, incidents, integrations, kill_switches, notifications, people, queue,
    runbooks, service, slack, teams, versions, workflow_runs, workflow_versions, workflows,
};

/// What differs between installations.
#[derive(Debug, Clone)]
pub struct HttpSettings {
    /// Longer bodies are answered with 413.
    pub max_body_bytes: usize,
}

impl Default for HttpSettings {
    /// 128 KiB.
    fn default() -> Self {
        Self { max_body_bytes: 128 * 1024 }
    }
}

/// Every route: for one process that does everything.
pub fn router(app: Arc<App>, settings: HttpSettings) -> Router {
    finish(every_open_route(), every_guarded_route(), app, settings)
}

/// Every route but the approvals', for a function whose role may not write decisions.
pub fn api_router(app: Arc<App>, settings: HttpSettings) -> Router {
    finish(open_routes(), api_routes(), app, settings)
}

/// The approvals and the answers to them alone, for the function whose role may write decisions.
pub fn approval_router(app: Arc<App>, settings: HttpSettings) -> Router {
    finish(open_answer_routes(), approval_routes(), app, settings)
}

/// All there are, for the document.
pub(crate) fn every_route<T: RouteTable>() -> T {
    every_open_route::<T>().merge(every_guarded_route())
}

fn every_open_route<T: RouteTable>() -> T {
    open_routes::<T>().merge(metrics_routes()).merge(slack_routes())
}

fn every_guarded_route<T: RouteTable>() -> T {
    api_routes::<T>().merge(approval_routes()).merge(event_routes())
}

/// What a process serves to those without an identity.
fn open_routes<T: RouteTable>() -> T {
    health_routes::<T>().merge(description_routes()).merge(hook_routes())
}

/// The same of the function that takes answers.
fn open_answer_routes<T: RouteTable>() -> T {
    health_routes::<T>().merge(slack_routes())
}

fn api_routes<T: RouteTable>() -> T {
    T::default()
        .routes(routes!(runbooks::list_runbooks, runbooks::create_runbook))
        .routes(routes!(runbooks::read_runbook, runbooks::change_runbook, runbooks::delete_runbook))
        .routes(routes!(versions::list_versions))
        .routes(routes!(versions::read_version))
        .routes(routes!(versions::compare_versions))
        .routes(routes!(versions::roll_back_runbook))
        .routes(routes!(execute::execute_runbook))
        .routes(routes!(executions::list_runbook_executions))
        .routes(routes!(executions::read_runbook_execution))
        .routes(routes!(executions::read_execution))
        .routes(routes!(executions::cancel_execution))
        .routes(routes!(executions::abort_execution))
        .routes(routes!(executions::pause_execution))
        .routes(routes!(executions::resume_execution))
        .routes(routes!(executions::decide_undo))
        .routes(routes!(executions::roll_back_execution))
        .routes(routes!(executions::resolve_execution))
        .routes(routes!(notifications::list_notifications))
        .routes(routes!(gates::list_execution_approvals))
        .routes(routes!(gates::list_approvals))
        .routes(routes!(bodies::read_step_request))
        .routes(routes!(bodies::read_attempt_response))
        .routes(routes!(incidents::list_incidents, incidents::create_incident))
        .routes(routes!(incidents::read_incident, incidents::change_incident))
        .routes(routes!(incidents::escalate_incident))
        .routes(routes!(incidents::list_incident_events))
        .routes(routes!(applicability::list_applicable_runbooks))
        .routes(routes!(execute::execute_on_incident))
        .routes(routes!(executions::list_incident_executions))
        .merge(workflow_routes())
        .routes(routes!(integrations::list_integrations, integrations::create_integration))
        .routes(routes!(
            integrations::read_integration,
            integrations::change_integration,
            integrations::delete_integration
        ))
        .routes(routes!(accounts::list_accounts))
        .routes(routes!(accounts::read_account, accounts::set_account, accounts::remove_account))
        .routes(routes!(people::read_person, people::set_person, people::unlink_person))
        .routes(routes!(decisions::list_incident_decisions))
        .routes(routes!(kill_switches::read_kill_switch, kill_switches::set_kill_switch))
        .routes(routes!(freezes::list_freezes))
        .routes(routes!(freezes::add_freeze))
        .routes(routes!(freezes::remove_freeze))
        .routes(routes!(break_glass::start_break_glass, break_glass::list_break_glass))
        .routes(routes!(break_glass::revoke_break_glass))
        .routes(routes!(break_glass::review_break_glass))
        .routes(routes!(teams::read_team_settings, teams::set_team_settings))
        .routes(routes!(queue::read_queue_stats))
        .routes(routes!(audit::list_audit_entries))
        .routes(routes!(audit::export_audit))
}

fn workflow_routes<T: RouteTable>() -> T {
    T::default()
        .routes(routes!(workflows::list_workflows, workflows::create_workflow))
        .routes(routes!(workflows::read_workflow, workflows::change_workflow, workflows::delete_workflow))
        .routes(routes!(workflows::enable_workflow))
        .routes(routes!(workflows::disable_workflow))
        .routes(routes!(workflow_versions::list_workflow_versions))
        .routes(routes!(workflow_versions::read_workflow_version))
        .routes(routes!(workflow_versions::compare_workflow_versions))
        .routes(routes!(workflow_versions::roll_back_workflow))
        .routes(routes!(workflow_runs::run_workflow))
        .routes(routes!(workflow_runs::list_workflow_executions))
        .routes(routes!(workflow_runs::try_workflow))
        .routes(routes!(workflow_runs::backtest_workflow))
}

fn approval_routes<T: RouteTable>() -> T {
    T::default()
        .routes(routes!(approvals::approve_runbook))
        .routes(routes!(approvals::deprecate_runbook))
        .routes(routes!(gates::approve_step))
        .routes(routes!(gates::reject_step))
        .routes(routes!(gates::withdraw_decision))
}

/// Without an identity: what proves the sender is the delivery, or the token of a call.
fn hook_routes<T: RouteTable>() -> T {
    T::default()
        .routes(routes!(hooks::receive_delivery).limited(hooks::body_limit()))
        .routes(routes!(callbacks::call_back).limited(callbacks::body_limit()))
}

/// Answers to approvals without a token: what proves the sender is Slack's signature.
fn slack_routes<T: RouteTable>() -> T {
    T::default().routes(routes!(slack::take_slack_action).limited(slack::body_limit()))
}

/// Where one process does everything: elsewhere the bus brings events, and has its own guard.
fn event_routes<T: RouteTable>() -> T {
    T::default().routes(routes!(events::receive_event).limited(hooks::body_limit()))
}

fn health_routes<T: RouteTable>() -> T {
    T::default().routes(routes!(service::live)).routes(routes!(service::ready))
}

fn description_routes<T: RouteTable>() -> T {
    T::default().routes(routes!(service::describe)).routes(routes!(service::runbook_schema))
}

/// Counters of this process: of no use where many processes come and go.
fn metrics_routes<T: RouteTable>() -> T {
    T::default().routes(routes!(service::metrics))
}

/// Puts the layers around the routes; of them, only `api` needs an identity.
fn finish(open: Router<Arc<App>>, api: Router<Arc<App>>, app: Arc<App>, settings: HttpSettings) -> Router {
    // As one layer, for each layer of a router costs every request a box and a clone of what it wraps.
    let layers = ServiceBuilder::new()
        .layer(middleware::from_fn(correlate))
        .layer(middleware::map_response(security_headers))
        .layer(DefaultBodyLimit::max(settings.max_body_bytes));
    open.merge(api.route_layer(middleware::from_fn(require_principal)))
        .fallback(no_such_path)
        .method_not_allowed_fallback(no_such_method)
        .layer(layers)
        .with_state(app)
}

async fn no_such_path() -> Problem {
    Problem::new(Kind::NotFound, "the API has no such path")
}

async fn no_such_method() -> Problem {
    Problem::new(Kind::MethodNotAllowed, "the header Allow names the methods that this path has")
}
