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
        Remedy::SingleModel => {
            "choose one by purchases.model to see why, or \"nbd\" for a forecast in which nobody \
             leaves"
        }
        Remedy::OtherModel => "choose another purchases.model, or \"auto\"",
        Remedy::TamerData => {
            "check the data for extreme values, try purchases.model = \"auto\", or set a small \
             l2_penalty and read the result with care"
        }
        Remedy::ShorterHorizons => "remove [uncertainty] or shorten forecast.horizons",
        Remedy::AnyChannel => "remove selection.both_channels",
    }
}
