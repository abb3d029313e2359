use redis::aio::MultiplexedConnection;
use redis::{
    ErrorKind, FromRedisValue, Pipeline, RedisError, Script, ScriptInvocation, ServerErrorKind,
};

/// What Redis is asked.
#[derive(Debug)]
pub(crate) enum Request<'a> {
    /// Something that happens at one moment.
    Script(&'a ScriptInvocation<'a>),
    /// One after the other, with the script that it calls.
    Pipeline(&'a Pipeline, &'a Script),
}

impl Request<'_> {
    /// A Redis that was restarted does not know the scripts any more: they are loaded again.
    pub(crate) async fn send<T: FromRedisValue>(
        &self,
        connection: &mut MultiplexedConnection,
    ) -> Result<T, RedisError> {
        match self {
            Self::Script(script) => script.invoke_async(connection).await,
            Self::Pipeline(pipeline, script) => {
                match pipeline.query_async(connection).await.map_err(cause) {
                    Err(error) if error.kind() == ErrorKind::Server(ServerErrorKind::NoScript) => {
                        script.load_async(connection).await?;
                        pipeline.query_async(connection).await.map_err(cause)
                    }
                    answer => answer,
                }
            }
        }
    }
}

/// What was wrong first.
fn cause(error: RedisError) -> RedisError {
    let errors = error.clone().into_server_errors();
    let first = errors.and_then(|errors| errors.first().map(|(_, error)| error.clone()));
    first.map_or(error, RedisError::from)
}

impl<'a> From<&'a ScriptInvocation<'a>> for Request<'a> {
    fn from(script: &'a ScriptInvocation<'a>) -> Self {
        Self::Script(script)
    }
}
