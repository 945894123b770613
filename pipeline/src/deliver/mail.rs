//! Mail to applicants over SMTP. The same delivery has the same Message-ID on every attempt, so that a mailbox that
//! got it twice shows it once.

use std::time::Duration;

use lettre::message::{Mailbox, header};
use lettre::transport::smtp::authentication::Credentials;
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor};

use super::words::Letter;
use super::{DeliveryError, Failure};
use crate::config::{MailSecurity, MailSettings};
use crate::net::{Outside, use_ring};
use crate::store::DueDelivery;

/// Longest wait for one answer of the server.
const PATIENCE: Duration = Duration::from_secs(20);

#[derive(Debug)]
pub(super) struct Mail {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    server: String,
    from: Mailbox,
    reply_to: Option<Mailbox>,
}

impl Mail {
    pub(super) fn new(settings: &MailSettings, outside: &Outside) -> Result<Self, DeliveryError> {
        use_ring();
        let server = settings.server.as_str();
        let unusable = |error: lettre::transport::smtp::Error| DeliveryError::MailServer(error.to_string());
        let mut builder = match settings.security {
            MailSecurity::Tls => AsyncSmtpTransport::<Tokio1Executor>::relay(server).map_err(unusable)?,
            MailSecurity::Starttls => {
                AsyncSmtpTransport::<Tokio1Executor>::starttls_relay(server).map_err(unusable)?
            }
            MailSecurity::None if outside.may_be_private(server) => {
                AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(server)
            }
            MailSecurity::None => return Err(DeliveryError::Plain(server.to_owned())),
        };
        if let Some(port) = settings.port {
            builder = builder.port(port);
        }
        builder = builder.timeout(Some(PATIENCE));
        builder = match (&settings.user, &settings.password) {
            (None, None) => builder,
            (Some(user), Some(source)) => {
                let secret = |source| DeliveryError::Secret { name: "mail".to_owned(), source };
                let password = source.read().map_err(secret)?;
                builder.credentials(Credentials::new(user.clone(), password))
            }
            _ => return Err(DeliveryError::Credentials),
        };
        let mailbox = |text: &str, name| text.parse().map_err(|_| DeliveryError::Address(name));
        Ok(Self {
            transport: builder.build(),
            server: server.to_owned(),
            from: mailbox(&settings.from, "from")?,
            reply_to: settings.reply_to.as_deref().map(|text| mailbox(text, "reply_to")).transpose()?,
        })
    }

    pub(super) fn server(&self) -> &str {
        &self.server
    }

    /// Whether the server answers and takes our name and password.
    pub(super) async fn examine(&self) -> Result<(), String> {
        let tested = tokio::time::timeout(PATIENCE, self.transport.test_connection()).await;
        match tested {
            Ok(Ok(true)) => Ok(()),
            Ok(Ok(false)) => Err(format!("the mail server {} does not answer as one", self.server)),
            Ok(Err(error)) => {
                Err(format!("the mail server {} cannot be used: {}", self.server, told(&error)))
            }
            Err(_) => Err(format!("the mail server {} does not answer", self.server)),
        }
    }

    pub(super) async fn send(&self, due: &DueDelivery) -> Result<(), Failure> {
        let lasting = |problem: &str| Failure::Lasting(problem.to_owned());
        let letter: Letter =
            serde_json::from_str(&due.body).map_err(|_| lasting("the letter cannot be understood"))?;
        let message = self.message(&due.id, letter).map_err(|_| lasting("the letter cannot be written"))?;
        match self.transport.send(message).await {
            Ok(_) => Ok(()),
            Err(error) if error.is_permanent() => Err(Failure::Lasting(told(&error))),
            Err(error) => Err(Failure::Passing(told(&error), 0)),
        }
    }

    fn message(&self, id: &str, letter: Letter) -> Result<Message, Box<dyn std::error::Error>> {
        let message_id = format!("<{id}@{}>", self.from.email.domain());
        let mut builder = Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, letter.to.parse()?))
            .subject(letter.subject)
            .message_id(Some(message_id))
            // No machine answers a machine (RFC 3834).
            .header(AutoSubmitted)
            .header(header::ContentType::TEXT_PLAIN);
        if let Some(reply_to) = &self.reply_to {
            builder = builder.reply_to(reply_to.clone());
        }
        Ok(builder.body(letter.text)?)
    }
}

/// What went wrong by its code alone: servers repeat addresses in what they say.
fn told(error: &lettre::transport::smtp::Error) -> String {
    match error.status() {
        Some(code) => format!("the mail server answered {code}"),
        None if error.is_timeout() => "the mail server did not answer in time".to_owned(),
        None if error.is_tls() => "the mail server's certificate cannot be verified".to_owned(),
        None => "the mail server cannot be reached, or broke off".to_owned(),
    }
}

#[derive(Debug, Clone)]
struct AutoSubmitted;

impl header::Header for AutoSubmitted {
    fn name() -> header::HeaderName {
        header::HeaderName::new_from_ascii_str("Auto-Submitted")
    }

    fn parse(_: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self)
    }

    fn display(&self) -> header::HeaderValue {
        header::HeaderValue::new(Self::name(), "auto-generated".to_owned())
    }
}
