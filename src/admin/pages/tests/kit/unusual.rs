//! What browsers send seldom, and other programs instead of them.

use axum::http::{Method, StatusCode, header};
use tower::ServiceExt as _;

use super::{Answer, Browser};

impl Browser<'_> {
    /// Asks for the head of a page only, as previews do.
    pub(in crate::admin) async fn head(&mut self, path: &str) -> Answer {
        self.ask(Method::HEAD, path, None).await
    }

    /// Sends a form from a page of another site.
    pub(in crate::admin) async fn post_elsewhere(&self, path: &str, form: &str) -> StatusCode {
        let mut request = self.request(Method::POST, path, Some(form.to_owned()));
        let cross = header::HeaderValue::from_static("cross-site");
        request.headers_mut().insert("sec-fetch-site", cross);
        self.router.clone().oneshot(request).await.unwrap().status()
    }
}
