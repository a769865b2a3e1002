//! What may help where a model cannot be fitted, in terms of the pipeline file.

use crate::error::{Error, Remedy};

/// The error with its remedy as part of the message.
pub(crate) fn with_remedy(error: Error) -> Error {
    match error {
        Error::Model { message, remedy: Some(remedy) } => {
            Error::model(format!("{message}; {}", words(remedy)))
        }
        other => other,
    }
}

fn words(remedy: Remedy) -> &'static str {
    match remedy {
        Remedy::MoreCustomers => {
            "give it more customers, or check that the right columns are named in [input.columns]"
        }
        Remedy::ShorterHorizons => "remove [uncertainty] or shorten forecast.horizons",
        Remedy::AnyChannel => "remove selection.both_channels",
    }
}
