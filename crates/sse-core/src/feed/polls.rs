use crate::StreamRequest;

/// The requests that poll: their responses end.
#[derive(Debug, Clone, Default)]
pub(crate) enum Polls {
    #[default]
    None,
    All,
    /// The requests whose query has this parameter.
    WithParameter(String),
}

impl Polls {
    pub(crate) fn include(&self, request: &StreamRequest) -> bool {
        match self {
            Self::None => false,
            Self::All => true,
            Self::WithParameter(name) => request.has_parameter(name),
        }
    }
}
