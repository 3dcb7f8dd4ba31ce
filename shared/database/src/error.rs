//! What can go wrong with a database, told apart by what the reader has to do about it.

use mysql_async::{DriverError, IoError, ServerError};
use thiserror::Error;

use crate::credentials::SecretError;

/// A failure that names the thing and the remedy. No message shows a password, not even inside a statement.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Error {
    /// The server's name does not resolve.
    #[error(
        "the name `{host}` does not resolve ({reason}); check the endpoint, and that the function's network can ask a name server that knows it"
    )]
    Dns {
        /// The name.
        host: String,
        /// What the resolver says.
        reason: String,
        /// Whether the resolver itself could not be reached, so that another try may help.
        temporary: bool,
    },
    /// No connection, or one that broke off.
    #[error(
        "no connection to {address} ({reason}); check that the server runs, and that its security group admits the function on this port"
    )]
    Tcp {
        /// `host:port`.
        address: String,
        /// What the network says.
        reason: String,
    },
    /// The server is not who it should be, or offers no TLS.
    #[error(
        "{address} cannot be trusted ({reason}); its certificate must name this very host and come from RDS's authorities, or from those that this function was told to trust instead"
    )]
    Tls {
        /// `host:port`.
        address: String,
        /// What the TLS library says.
        reason: String,
    },
    /// The server does not let the user in.
    #[error("{address} does not let user `{user}` in ({reason}); the secret must hold the user's present password")]
    Authentication {
        /// `host:port`.
        address: String,
        /// Who tried to log in.
        user: String,
        /// MySQL's number of the error.
        code: u16,
        /// What the server says.
        reason: String,
    },
    /// The user is in, but may not do this.
    #[error("user `{user}` may not do this on {address} ({reason}); grant it the right, or use RDS's master user")]
    Permission {
        /// `host:port`.
        address: String,
        /// Who asked.
        user: String,
        /// What the server says.
        reason: String,
    },
    /// The server cannot at this moment.
    #[error("{address} cannot serve at the moment ({reason}); try again")]
    Transient {
        /// `host:port`.
        address: String,
        /// What the server says.
        reason: String,
    },
    /// The server rejects a statement for another reason.
    #[error("{address} rejects a statement ({reason})")]
    Statement {
        /// `host:port`.
        address: String,
        /// MySQL's number of the error; 0 if the driver itself gave up.
        code: u16,
        /// What the server says.
        reason: String,
    },
    /// The credentials cannot be had.
    #[error(transparent)]
    Secret(#[from] SecretError),
}

/// Where and as whom something was tried.
#[derive(Clone, Copy)]
pub(crate) struct Place<'a> {
    pub(crate) address: &'a str,
    pub(crate) user: &'a str,
}

// MySQL's numbers: https://dev.mysql.com/doc/mysql-errors/8.4/en/server-error-reference.html
const ER_PARSE_ERROR: u16 = 1064;
const ER_ACCESS_DENIED: u16 = 1045;
/// Access denied without a password, host not admitted, unknown plugin, password expired, account locked, locked after failures.
const AUTHENTICATION: [u16; 8] = [ER_ACCESS_DENIED, 1698, 1130, 1251, 1524, 1862, 3118, 3955];
/// Database, table, column and routine denied, a global right missing, GRANT with CREATE USER, one must set a new password.
const PERMISSION: [u16; 9] = [ER_ACCESS_DENIED, 1044, 1142, 1143, 1227, 1370, 1410, 1820, 4078];
/// Too many connections (the server's, the user's), shutting down, lock wait, deadlock, read-only while it fails over, not yet available,
/// the statement or the connection was killed, a deadlock of named locks, ended for being idle.
const TRANSIENT: [u16; 11] = [1040, 1203, 1053, 1205, 1213, 1836, 3168, 1317, 1927, 3058, 4031];

impl Error {
    /// Whether the same thing may succeed when it is tried again.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        matches!(
            self,
            Self::Tcp { .. } | Self::Transient { .. } | Self::Dns { temporary: true, .. }
        )
    }

    /// MySQL's number of the error, where the server refused the user or rejected a statement.
    #[must_use]
    pub fn code(&self) -> Option<u16> {
        match self {
            Self::Authentication { code, .. } | Self::Statement { code, .. } => Some(*code),
            _ => None,
        }
    }

    /// A failure while connecting.
    pub(crate) fn connecting(error: mysql_async::Error, place: Place<'_>) -> Self {
        match error {
            mysql_async::Error::Server(error) if AUTHENTICATION.contains(&error.code) => Self::Authentication {
                address: place.address.to_owned(),
                user: place.user.to_owned(),
                code: error.code,
                reason: said(&error),
            },
            // MySQL asks whom it does not know for a plugin at random, so that nobody learns who is known.
            mysql_async::Error::Driver(
                error @ (DriverError::UnknownAuthPlugin { .. }
                | DriverError::MysqlOldPasswordDisabled
                | DriverError::CleartextPluginDisabled),
            ) => Self::Authentication {
                address: place.address.to_owned(),
                user: place.user.to_owned(),
                code: 0,
                reason: format!("{error} MySQL asks so for an unknown user, too"),
            },
            error => Self::running(error, place),
        }
    }

    /// A failure of a statement.
    pub(crate) fn running(error: mysql_async::Error, place: Place<'_>) -> Self {
        let address = place.address.to_owned();
        match error {
            mysql_async::Error::Server(error) => Self::from_server(&error, place),
            mysql_async::Error::Io(IoError::Tls(error)) => Self::Tls {
                address,
                reason: error.to_string(),
            },
            // tokio-rustls reports what the handshake found as an error of this kind.
            mysql_async::Error::Io(IoError::Io(error)) if error.kind() == std::io::ErrorKind::InvalidData => {
                Self::Tls {
                    address,
                    reason: error.to_string(),
                }
            }
            mysql_async::Error::Io(IoError::Io(error)) => Self::Tcp {
                address,
                reason: error.to_string(),
            },
            mysql_async::Error::Driver(DriverError::NoClientSslFlagFromServer) => Self::Tls {
                address,
                reason: "the server offers no TLS".into(),
            },
            mysql_async::Error::Driver(DriverError::ConnectionClosed) => Self::Tcp {
                address,
                reason: "the server closed the connection".into(),
            },
            // The driver's words quote no value; its Debug form would.
            error => Self::Statement {
                address,
                code: 0,
                reason: error.to_string(),
            },
        }
    }

    fn from_server(error: &ServerError, place: Place<'_>) -> Self {
        let (address, reason) = (place.address.to_owned(), said(error));
        if TRANSIENT.contains(&error.code) {
            Self::Transient { address, reason }
        } else if PERMISSION.contains(&error.code) {
            Self::Permission {
                address,
                user: place.user.to_owned(),
                reason,
            }
        } else {
            Self::Statement {
                address,
                code: error.code,
                reason,
            }
        }
    }
}

/// The server's words; those about syntax quote the statement, which may hold a password.
fn said(error: &ServerError) -> String {
    if error.code == ER_PARSE_ERROR {
        return format!("MySQL error {}: it cannot parse it", error.code);
    }
    format!("MySQL error {}: {}", error.code, error.message)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: Place<'_> = Place {
        address: "db:3306",
        user: "admin",
    };

    fn server(code: u16, message: &str) -> mysql_async::Error {
        ServerError {
            code,
            message: message.into(),
            state: "HY000".into(),
        }
        .into()
    }

    #[test]
    fn a_syntax_error_does_not_quote_the_statement() {
        let error = Error::running(server(ER_PARSE_ERROR, "You have an error near 'hunter2'"), HERE);
        assert_eq!(
            error.to_string(),
            "db:3306 rejects a statement (MySQL error 1064: it cannot parse it)"
        );
    }

    #[test]
    fn access_denied_means_the_password_while_connecting_and_a_missing_right_afterwards() {
        assert_eq!(
            Error::connecting(server(1045, "Access denied"), HERE).to_string(),
            "db:3306 does not let user `admin` in (MySQL error 1045: Access denied); the secret must hold the user's present password"
        );
        assert_eq!(
            Error::running(server(1045, "Access denied"), HERE).to_string(),
            "user `admin` may not do this on db:3306 (MySQL error 1045: Access denied); grant it the right, or use RDS's master user"
        );
    }

    #[test]
    fn a_busy_server_is_worth_another_try_and_a_refusal_is_not() {
        for code in TRANSIENT {
            assert!(Error::connecting(server(code, ""), HERE).is_transient(), "{code}");
        }
        for code in AUTHENTICATION.into_iter().chain(PERMISSION).chain([ER_PARSE_ERROR]) {
            assert!(!Error::connecting(server(code, ""), HERE).is_transient(), "{code}");
        }
    }
}
