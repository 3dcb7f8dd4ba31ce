//! One open connection.

use mysql_async::prelude::{FromRow, Queryable};
use mysql_async::{Conn, Params};

use crate::error::{Error, Place};
use crate::quoting;

/// An open connection, encrypted and verified.
#[derive(Debug)]
pub struct Connection {
    inner: Conn,
    address: String,
    user: String,
    version: String,
    no_backslash_escapes: bool,
}

impl Connection {
    /// Takes a connection that was just opened; asks it what quoting depends on.
    pub(crate) async fn opened(inner: Conn, place: Place<'_>) -> Result<Self, Error> {
        let mut connection = Self {
            inner,
            address: place.address.to_owned(),
            user: place.user.to_owned(),
            version: String::new(),
            no_backslash_escapes: false,
        };
        let row: Option<(String, String)> = connection.first("SELECT VERSION(), @@SESSION.sql_mode", ()).await?;
        let (version, mode) = row.unwrap_or_default();
        connection.version = version;
        connection.no_backslash_escapes = mode.split(',').any(|one| one == "NO_BACKSLASH_ESCAPES");
        Ok(connection)
    }

    /// The server's version as it says it, such as `8.4.3`.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Who is logged in.
    #[must_use]
    pub fn user(&self) -> &str {
        &self.user
    }

    /// A text quoted for this connection's SQL mode.
    #[must_use]
    pub fn literal(&self, text: &str) -> String {
        quoting::literal(text, self.no_backslash_escapes)
    }

    /// Runs one statement for its effect.
    ///
    /// # Errors
    /// If the server rejects it or the connection breaks off.
    pub async fn run(&mut self, statement: &str) -> Result<(), Error> {
        let result = self.inner.query_drop(statement).await;
        result.map_err(|error| Error::running(error, self.place()))
    }

    /// Runs one statement that changes rows, and tells how many it changed; `?` in it stand for `parameters`. A repeated
    /// statement is prepared once a connection.
    ///
    /// # Errors
    /// If the server rejects it or the connection breaks off.
    pub async fn change(&mut self, statement: &str, parameters: impl Into<Params> + Send) -> Result<u64, Error> {
        let result = self.inner.exec_drop(statement, parameters).await;
        result.map_err(|error| Error::running(error, self.place()))?;
        Ok(self.inner.affected_rows())
    }

    /// All rows of a query; `?` in it stand for `parameters`.
    ///
    /// # Errors
    /// If the server rejects it or the connection breaks off.
    pub async fn rows<T>(&mut self, query: &str, parameters: impl Into<Params> + Send) -> Result<Vec<T>, Error>
    where
        T: FromRow + Send + 'static,
    {
        let parameters = parameters.into();
        let result = match parameters {
            Params::Empty => self.inner.query(query).await,
            parameters => self.inner.exec(query, parameters).await,
        };
        result.map_err(|error| Error::running(error, self.place()))
    }

    /// The first row of a query, if there is one; `?` in it stand for `parameters`.
    ///
    /// # Errors
    /// If the server rejects it or the connection breaks off.
    pub async fn first<T>(&mut self, query: &str, parameters: impl Into<Params> + Send) -> Result<Option<T>, Error>
    where
        T: FromRow + Send + 'static,
    {
        Ok(self.rows(query, parameters).await?.into_iter().next())
    }

    /// Says goodbye, so that the server logs no aborted connection. What then fails changes nothing any more.
    pub async fn close(self) {
        if let Err(error) = self.inner.disconnect().await {
            tracing::debug!(%error, "the connection was not closed in order");
        }
    }

    fn place(&self) -> Place<'_> {
        Place {
            address: &self.address,
            user: &self.user,
        }
    }
}
