//! The wheel: `pip install` in a new virtual environment gives a `cltv` that does the main job.
//! `CLTV_WHEEL` names the file that scripts/wheel.sh made.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::{folder, json, parquet, project, python};

fn in_folder(program: &Path, arguments: &[&str], folder: &Path) -> String {
    let output = Command::new(program).args(arguments).current_dir(folder).output();
    let output = output.expect("the program starts");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{}: {said}", program.display());
    String::from_utf8(output.stdout).expect("UTF-8")
}

#[test]
#[ignore = "needs CLTV_PYTHON and CLTV_WHEEL"]
fn the_main_job_runs_from_a_wheel_in_python() {
    let wheel = std::env::var_os("CLTV_WHEEL").map(PathBuf::from).expect("CLTV_WHEEL");
    let place = folder();
    let environment = place.path().join("environment");
    let made = environment.display().to_string();
    in_folder(Path::new(&python()), &["-m", "venv", &made], place.path());
    let file = wheel.display().to_string();
    let install = ["install", "--quiet", "--no-index", "--no-deps", &file];
    in_folder(&environment.join("bin/pip"), &install, place.path());
    let program = environment.join("bin/cltv");
    let version = in_folder(&program, &["--version"], place.path());
    assert_eq!(version.trim(), format!("cltv {}", env!("CARGO_PKG_VERSION")));
    std::fs::copy(project("data/flo_sample.csv"), place.path().join("export.csv")).expect("a copy");
    let page = in_folder(&program, &["run", "export.csv"], place.path());
    let run = place.path().join("output/export");
    assert!(page.contains("output/export/report.html"), "{page}");
    assert_eq!(parquet(&run.join("customers.parquet")).height(), 20_073);
    assert_eq!(json(&run.join("run.json"))["rows"]["customers"], 20_073);
}
