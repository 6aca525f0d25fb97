//! One command, followed through all services: spans of OpenTelemetry under the `traceparent` that its sender gave it (W3C Trace
//! Context). The only crate that names `opentelemetry`.
//!
//! A command's `traceparent` stands in the metadata of its events, so whoever handles one of them later, in whichever process,
//! puts a span beside the others. What came without one, or with one that says that it is not sampled, is not followed.
//!
//! Off, as it is unless `export` (feature `otlp`) was called, a span costs one look at a flag. Names and values of spans are words
//! of code, numbers and ids: nothing of a person.

#[cfg(feature = "otlp")]
mod export;

use std::sync::atomic::{AtomicBool, Ordering};

use opentelemetry::global;
use opentelemetry::trace::{
    Span as _, SpanContext, SpanId, SpanKind, Status, TraceContextExt as _, TraceFlags, TraceId, TraceState,
    Tracer as _,
};
use opentelemetry::{Context, KeyValue, Value};

#[cfg(feature = "otlp")]
pub use export::{ExportError, Exporting, export};

/// What all spans are made by.
const TRACER: &str = "caseledger";

/// Whether anybody collects them.
static ON: AtomicBool = AtomicBool::new(false);

/// Whether spans are collected: what only a span needs need not be read where they are not.
#[must_use]
pub fn are_on() -> bool {
    ON.load(Ordering::Relaxed)
}

/// What part a span has in the way of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Handling what somebody sent.
    Serving,
    /// Asking another system and waiting for its answer.
    Asking,
    /// Sending what others take in later.
    Sending,
    /// Taking in what was sent.
    TakingIn,
}

impl Part {
    const fn kind(self) -> SpanKind {
        match self {
            Self::Serving => SpanKind::Server,
            Self::Asking => SpanKind::Client,
            Self::Sending => SpanKind::Producer,
            Self::TakingIn => SpanKind::Consumer,
        }
    }
}

/// A stretch of the way. It ends when it is dropped.
#[derive(Debug)]
pub struct Span(global::BoxedSpan);

impl Span {
    /// Begins one under a `traceparent`; none where nobody collects, or it asks for none.
    #[must_use]
    pub fn begin(name: String, part: Part, traceparent: Option<&str>) -> Option<Self> {
        if !are_on() {
            return None;
        }
        let parent = read(traceparent?).filter(SpanContext::is_sampled)?;
        Some(Self::under(name, part, parent))
    }

    /// Begins one within this one.
    #[must_use]
    pub fn within(&self, name: String, part: Part) -> Self {
        Self::under(name, part, self.0.span_context().clone())
    }

    /// Notes something of it.
    pub fn note(&mut self, key: &'static str, value: impl Into<Value>) {
        self.0.set_attribute(KeyValue::new(key, value));
    }

    /// Says that it went wrong, in a word of code.
    pub fn failed(&mut self, why: &'static str) {
        self.0.set_status(Status::error(why));
    }

    fn under(name: String, part: Part, parent: SpanContext) -> Self {
        let tracer = global::tracer(TRACER);
        let builder = tracer.span_builder(name).with_kind(part.kind());
        Self(tracer.build_with_context(builder, &Context::new().with_remote_span_context(parent)))
    }
}

/// Reads `00-<32 hex>-<16 hex>-<2 hex>`; `None` for anything else, and for ids of zeros, which the specification calls invalid.
fn read(traceparent: &str) -> Option<SpanContext> {
    let mut parts = traceparent.split('-');
    let (version, trace, span, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    // Later versions may have more behind what this one has.
    if parts.next().is_some() && version == "00" || version == "ff" {
        return None;
    }
    if (trace.len(), span.len(), flags.len()) != (32, 16, 2) {
        return None;
    }
    let context = SpanContext::new(
        TraceId::from_hex(trace).ok()?,
        SpanId::from_hex(span).ok()?,
        TraceFlags::new(u8::from_str_radix(flags, 16).ok()?),
        true,
        TraceState::NONE,
    );
    context.is_valid().then_some(context)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GIVEN: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn a_traceparent_is_read() {
        let context = read(GIVEN).unwrap();
        assert_eq!(context.trace_id().to_string(), "4bf92f3577b34da6a3ce929d0e0e4736");
        assert!(context.is_sampled() && context.is_remote());
        assert!(!read(&GIVEN.replace("-01", "-00")).unwrap().is_sampled());
        for wrong in [
            "",
            "00",
            "00-42-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        ] {
            assert!(read(wrong).is_none(), "{wrong}");
        }
    }

    #[test]
    fn nothing_is_followed_where_nobody_collects() {
        assert!(Span::begin("handle".to_owned(), Part::Serving, Some(GIVEN)).is_none());
    }
}
