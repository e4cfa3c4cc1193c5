//! What the table of routes is read into: a router that serves them, or the document that describes them.

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::handler::Handler;
use axum::routing::MethodRouter;
use muster_app::App;
use utoipa::openapi::HttpMethod;
use utoipa_axum::PathItemExt;
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouter};

/// Collects the table's routes.
///
/// Architecture invariant: what serves asks for no description. Descriptions are code for every operation and every schema:
/// each process would build all of them in its start, and carry them in its package, for nothing.
pub(crate) trait RouteTable: Default {
    /// Takes one path. Generic over its description, so that a table that never asks for one links none.
    fn routes(self, route: Route<impl FnOnce() -> Description>) -> Self;

    /// Takes all routes of another table.
    fn merge(self, other: Self) -> Self;
}

/// Serves, and knows of no description.
impl RouteTable for Router<Arc<App>> {
    fn routes(self, route: Route<impl FnOnce() -> Description>) -> Self {
        self.route(&route.path, route.handlers)
    }

    fn merge(self, other: Self) -> Self {
        Self::merge(self, other)
    }
}

/// Describes, for the document.
impl RouteTable for OpenApiRouter<Arc<App>> {
    fn routes(self, route: Route<impl FnOnce() -> Description>) -> Self {
        Self::routes(self, (route.describe)())
    }

    fn merge(self, other: Self) -> Self {
        Self::merge(self, other)
    }
}

/// A path, what answers there, and how to describe that. [`routes!`] makes it of the handlers' names.
pub(crate) struct Route<D> {
    path: String,
    handlers: MethodRouter<Arc<App>>,
    describe: D,
}

pub(crate) type Description = UtoipaMethodRouter<Arc<App>>;

impl<D> Route<D> {
    pub(crate) fn described_by(describe: D) -> Self {
        Self { path: String::new(), handlers: MethodRouter::new(), describe }
    }

    /// Adds a handler at the path and for the methods that its attribute says.
    pub(crate) fn on<P: utoipa::Path, H: Handler<T, Arc<App>>, T: 'static>(self, handler: H) -> Self {
        let methods = P::methods();
        let on = |handlers: MethodRouter<_>, method: &HttpMethod| {
            handlers.on(method.to_method_filter(), handler.clone())
        };
        let handlers = methods.iter().fold(self.handlers, on);
        Self { path: P::path(), handlers, describe: self.describe }
    }

    /// Takes bodies up to a length of its own.
    pub(crate) fn limited(self, limit: DefaultBodyLimit) -> Self {
        Self { handlers: self.handlers.layer(limit), ..self }
    }
}

/// The handlers of one path, each by the names of its module and its function.
macro_rules! routes {
    ($($module:ident :: $handler:ident),+ $(,)?) => {
        utoipa_axum::paste! {
            $crate::route_table::Route::described_by(|| utoipa_axum::routes!($($module::$handler),+))
                $(.on::<$module::[<__path_ $handler>], _, _>($module::$handler))+
        }
    };
}

pub(crate) use routes;
