//! How long the stages of cases take, told to a collector of the operator's by OTLP over HTTP (feature `otel`).
//!
//! Spans alone, of this program alone: log messages stay here. What spans hold is the id of the case, counts, the flow and
//! the outcome; nothing that was sent in, its names included.

#[cfg(feature = "otel")]
pub(super) use exported::Traces;
#[cfg(not(feature = "otel"))]
pub(super) use refused::Traces;

#[cfg(feature = "otel")]
mod exported {
    use std::collections::HashMap;
    use std::time::Duration;

    use anyhow::Context as _;
    use dossier::config::Settings;
    use opentelemetry::trace::TracerProvider as _;
    use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig as _, WithHttpConfig as _};
    use opentelemetry_sdk::Resource;
    use opentelemetry_sdk::trace::SdkTracerProvider;
    use tracing::Subscriber;
    use tracing_subscriber::Layer;
    use tracing_subscriber::filter::filter_fn;
    use tracing_subscriber::registry::LookupSpan;

    const TOLD_WITHIN: Duration = Duration::from_secs(10);

    /// The spans that are on their way.
    pub(in crate::cli) struct Traces(Option<SdkTracerProvider>);

    impl Traces {
        /// To be called outside of a runtime: what is sent is sent by a thread of its own.
        ///
        /// # Errors
        /// When the settings cannot be used.
        pub(in crate::cli) fn begin(settings: &Settings) -> anyhow::Result<Self> {
            let Some(settings) = &settings.traces else { return Ok(Self(None)) };
            let mut headers = HashMap::new();
            if let Some(token) = &settings.token {
                let token = token.read().context("traces cannot be sent")?;
                headers.insert("authorization".to_owned(), format!("Bearer {token}"));
            }
            let exporter = SpanExporter::builder()
                .with_http()
                .with_protocol(Protocol::HttpBinary)
                .with_endpoint(&settings.endpoint)
                .with_headers(headers)
                .with_timeout(TOLD_WITHIN)
                .build()
                .with_context(|| format!("traces cannot be sent to {}", settings.endpoint))?;
            let resource = Resource::builder().with_service_name("dossier").build();
            let provider = SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource);
            Ok(Self(Some(provider.build())))
        }

        /// What hears of spans; none where nobody is told.
        pub(in crate::cli) fn layer<S>(&self) -> Option<Box<dyn Layer<S> + Send + Sync>>
        where
            S: Subscriber + for<'span> LookupSpan<'span> + Send + Sync,
        {
            let tracer = self.0.as_ref()?.tracer("dossier");
            let layer = tracing_opentelemetry::layer().with_tracer(tracer);
            let layer = layer.with_location(false).with_threads(false).with_target(false);
            let is_own = |metadata: &tracing::Metadata<'_>| {
                metadata.is_span() && metadata.target().starts_with("dossier")
            };
            Some(layer.with_filter(filter_fn(is_own)).boxed())
        }

        /// Sends what is left.
        pub(in crate::cli) fn end(self) {
            if let Some(Err(error)) = self.0.map(|provider| provider.shutdown()) {
                tracing::warn!(%error, "the last traces could not be sent");
            }
        }
    }
}

#[cfg(not(feature = "otel"))]
mod refused {
    use anyhow::bail;
    use dossier::config::Settings;
    use tracing::Subscriber;
    use tracing_subscriber::Layer;

    /// Nobody is told: the program was built so.
    pub(in crate::cli) struct Traces;

    impl Traces {
        /// Refuses what this program was not built for, rather than leave it out unsaid.
        ///
        /// # Errors
        /// When somebody is to be told.
        pub(in crate::cli) fn begin(settings: &Settings) -> anyhow::Result<Self> {
            if settings.traces.is_some() {
                bail!(
                    "the configuration has [traces] and this program was built without it: build it with `--features otel`, or take the section out"
                );
            }
            Ok(Self)
        }

        #[expect(clippy::unused_self, reason = "as where somebody is told")]
        pub(in crate::cli) fn layer<S: Subscriber>(&self) -> Option<Box<dyn Layer<S> + Send + Sync>> {
            None
        }

        #[expect(clippy::unused_self, reason = "as where somebody is told")]
        pub(in crate::cli) fn end(self) {}
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn what_the_program_was_not_built_for_is_refused() {
            let mut settings = Settings::default();
            assert!(Traces::begin(&settings).is_ok());
            let endpoint = "http://127.0.0.1:4318/v1/traces".to_owned();
            settings.traces = Some(dossier::config::TraceSettings { endpoint, token: None });
            let refused = Traces::begin(&settings).err().map(|error| error.to_string());
            assert!(refused.is_some_and(|told| told.contains("--features otel")));
        }
    }
}
