//! Bodies in and answers out.

use crate::ControlError;
use crate::server::ServerOptions;
use crate::wire::{ErrorBody, ErrorText, RequestError};
use axum::body::{Body, Bytes};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

/// An answer that is an error.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) status: StatusCode,
    pub(super) text: ErrorText,
}

impl Failure {
    pub(super) fn new(status: StatusCode, kind: &str, message: String, mend: &str) -> Self {
        let text = ErrorText {
            kind: kind.to_owned(),
            message,
            mend: mend.to_owned(),
            near: None,
        };
        Self { status, text }
    }
}

impl From<ControlError> for Failure {
    fn from(error: ControlError) -> Self {
        let status = match error {
            ControlError::UnknownPool { .. } | ControlError::UnknownBackend { .. } => StatusCode::NOT_FOUND,
            ControlError::Stopping | ControlError::Refused { .. } => StatusCode::CONFLICT,
            ControlError::Gone => StatusCode::SERVICE_UNAVAILABLE,
        };
        Self {
            status,
            text: ErrorText::from(&error),
        }
    }
}

impl From<RequestError> for Failure {
    fn from(error: RequestError) -> Self {
        Self {
            status: StatusCode::from_u16(error.status()).unwrap_or(StatusCode::BAD_REQUEST),
            text: error.text(),
        }
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        json(self.status, &ErrorBody { error: self.text })
    }
}

/// The whole body, within its limits.
pub(super) async fn read(body: Body, options: ServerOptions) -> Result<Bytes, Failure> {
    let whole = axum::body::to_bytes(body, options.body_bytes);
    match tokio::time::timeout(options.body_timeout, whole).await {
        Ok(Ok(bytes)) => Ok(bytes),
        // A body that breaks off has nobody left to read this.
        Ok(Err(_)) => Err(Failure::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "too_large",
            format!("the body exceeds {} bytes", options.body_bytes),
            "send the orders in several requests",
        )),
        Err(_) => Err(Failure::new(
            StatusCode::REQUEST_TIMEOUT,
            "too_slow",
            format!("the body did not come within {:?}", options.body_timeout),
            "send head and body at once",
        )),
    }
}

/// An answer in JSON, with a line end behind it, so that it can be read in a terminal.
pub(super) fn json(status: StatusCode, value: &impl Serialize) -> Response {
    // Our values have text keys and finite numbers only: that cannot fail.
    let mut bytes = serde_json::to_vec(value).unwrap_or_default();
    bytes.push(b'\n');
    written(status, bytes)
}

/// An answer in JSON that somebody has written.
pub(super) fn written(status: StatusCode, bytes: Vec<u8>) -> Response {
    let mut answer = Response::new(Body::from(bytes));
    *answer.status_mut() = status;
    let headers = answer.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}
