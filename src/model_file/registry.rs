//! A folder of models, one of which is in use: the champion. A model that fails its gate does not
//! become it.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::model_file::ModelFile;
use crate::results::findings::Severity;
use crate::settings::comparability::{Difference, Question, differences};
use crate::storage::atomic::{clear_left, write_own};
use crate::storage::bounded::{SMALL, read};
use crate::storage::lock::Lock;
use crate::storage::object_store;

/// The file that points to the model in use.
pub const POINTER: &str = "champion.json";

/// The lock file of a folder of models.
const LOCK: &str = ".cltv-lock";
/// Longest wait for another promotion.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// Code of a champion that is gone or of another layout.
const UNREADABLE: &str = "champion_unreadable";

/// What the pointer says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Pointer {
    /// File in the same folder.
    model: String,
    /// Its identifier.
    id: String,
    /// File of the model that was in use before.
    previous: Option<String>,
}

/// A model.json, or the champion of a folder.
///
/// # Errors
/// [`Error::Io`] when it cannot be read, [`Error::Settings`] when there is no champion or the file
/// is no model.
pub fn find(path: &Path) -> Result<PathBuf, Error> {
    if !path.is_dir() {
        return Ok(path.to_owned());
    }
    match pointer(path)? {
        Some(pointer) => {
            let model = path.join(&pointer.model);
            let text = read(&model, SMALL).map_err(Error::io(&model, "read the model in use"))?;
            if ModelFile::id(&text) != pointer.id {
                return Err(fault(
                    &model,
                    "the file was changed since it was promoted: promote a model again".to_owned(),
                ));
            }
            Ok(model)
        }
        None if path.join("model.json").is_file() => Ok(path.join("model.json")),
        None => Err(fault(
            path,
            format!(
                "there is no {POINTER} in this folder: name a model.json, or promote one with \
                 `cltv promote model.json --models {}`",
                path.display()
            ),
        )),
    }
}

fn fault(place: &Path, fault: String) -> Error {
    Error::Settings { place: place.display().to_string(), faults: vec![fault] }
}

fn pointer(folder: &Path) -> Result<Option<Pointer>, Error> {
    let path = folder.join(POINTER);
    let text = match read(&path, SMALL) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Error::io(&path, "read which model is in use")(error)),
    };
    let pointer: Pointer = serde_json::from_slice(&text)
        .map_err(|e| fault(&path, format!("does not name a model: {e}; promote one again")))?;
    let inside = Path::new(&pointer.model).file_name().is_some_and(|name| *name == *pointer.model);
    if !inside {
        return Err(fault(&path, format!("{:?} is not a file in this folder", pointer.model)));
    }
    Ok(Some(pointer))
}

/// What was promoted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Promoted {
    /// The model in its folder.
    pub path: PathBuf,
    /// The model that was in use before.
    pub previous: Option<String>,
}

/// Puts a model into the folder and in use, when it passes the gate: converged, without
/// warnings but the `accepted` ones, comparable with the present champion and not older.
///
/// # Errors
/// [`Error::Model`] with everything that speaks against the model, [`Error::Io`] when the folder
/// cannot be written; the champion stays the same.
pub fn promote(model: &Path, folder: &Path, accepted: &[String]) -> Result<Promoted, Error> {
    object_store::refuse_remote(folder, "models are kept in a local folder")?;
    let text = read(model, SMALL).map_err(Error::io(model, "read the model"))?;
    let model_file = ModelFile::parse(&text).map_err(|e| fault(model, e))?;
    let mut faults = gate(&model_file, accepted);
    if !faults.is_empty() && !folder.exists() {
        return Err(refused(model, &faults));
    }
    // From here on nobody else changes the champion, so that it is still the one compared with when
    // it is replaced.
    fs::create_dir_all(folder).map_err(Error::io(folder, "create the folder of models"))?;
    let _lock = Lock::wait(&folder.join(LOCK), folder, LONGEST_WAIT)?;
    clear_left(folder, ".json")
        .map_err(Error::io(folder, "clear away what a killed promotion left"))?;
    let unreadable_is_known = accepted.iter().any(|code| code == UNREADABLE);
    let before = match pointer(folder) {
        Ok(before) => before,
        Err(_) if unreadable_is_known => None,
        Err(error) => {
            faults.push(format!("{error} ({UNREADABLE}; --accept {UNREADABLE} to replace it)"));
            None
        }
    };
    if let Some(before) = &before {
        faults.extend(match ModelFile::read(&folder.join(&before.model)) {
            Ok(champion) => against(&model_file, &champion, accepted),
            Err(_) if unreadable_is_known => Vec::new(),
            Err(error) => vec![format!(
                "the present champion cannot be read, so the two models cannot be compared: \
                 {error} ({UNREADABLE}; --accept {UNREADABLE} to replace it anyway)"
            )],
        });
    }
    if !faults.is_empty() {
        return Err(refused(model, &faults));
    }
    let id = ModelFile::id(&text);
    let name = format!("{}-{id}.json", model_file.observation_end);
    write_own(&folder.join(&name), &text, None)?;
    let previous = before.map(|pointer| pointer.model).filter(|previous| *previous != name);
    let pointer = Pointer { model: name.clone(), id, previous: previous.clone() };
    let mut text = serde_json::to_string_pretty(&pointer)
        .map_err(|e| Error::io(folder, "write which model is in use")(e.into()))?;
    text.push('\n');
    write_own(&folder.join(POINTER), text.as_bytes(), None)?;
    Ok(Promoted { path: folder.join(name), previous })
}

fn refused(model: &Path, faults: &[String]) -> Error {
    let faults: String = faults.iter().map(|fault| format!("\n  - {fault}")).collect();
    Error::model(format!("{} does not become the champion:{faults}", model.display()))
}

/// What speaks against a model by itself.
fn gate(model_file: &ModelFile, accepted: &[String]) -> Vec<String> {
    let mut faults = Vec::new();
    for (name, converged) in model_file.converged() {
        if !converged {
            faults.push(format!("the model of {name} did not converge"));
        }
    }
    let warnings =
        model_file.warnings.iter().filter(|finding| finding.severity == Severity::Warning);
    faults.extend(
        warnings
            .filter(|finding| !accepted.iter().any(|code| *code == finding.code))
            .map(|f| format!("{} ({}; --accept {} if that is known)", f.message, f.code, f.code)),
    );
    faults
}

/// What speaks against a model as the successor of another.
fn against(model_file: &ModelFile, champion: &ModelFile, accepted: &[String]) -> Vec<String> {
    const DEFINITION: &str = "definition_changed";
    const OLDER: &str = "older";
    let mut faults = Vec::new();
    let differing = match (model_file.typed_settings(), champion.typed_settings()) {
        (Ok(own), Ok(champions)) => differences(&own, &champions, Question::Succession),
        (Err(unreadable), _) | (_, Err(unreadable)) => return unreadable,
    };
    for Difference { name, first: is, second: was, .. } in differing {
        if !accepted.iter().any(|code| code == DEFINITION) {
            faults.push(format!(
                "its {name} is {is}, the champion's {was}: their forecasts do not compare \
                 ({DEFINITION}; --accept {DEFINITION} if that is wanted)"
            ));
        }
    }
    if model_file.observation_end < champion.observation_end
        && !accepted.iter().any(|code| code == OLDER)
    {
        faults.push(format!(
            "it was fitted to orders until {}, the champion until {} ({OLDER}; --accept {OLDER} to \
             go back)",
            model_file.observation_end, champion.observation_end
        ));
    }
    faults
}
