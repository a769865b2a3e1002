//! Input and output in an object store: moto, an imitation of S3, on the loopback interface, started and
//! stopped here.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use crate::support::*;

const SECRET: &str = "hunter2-not-to-be-seen";

/// A server that has the files of a folder under `s3://crm/in/`.
struct Store {
    server: Child,
    address: String,
}

impl Store {
    fn of(folder: &Path) -> Self {
        let mut server = Command::new(python())
            .arg(project("tests/downstream/object_store.py"))
            .arg(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("CLTV_PYTHON starts");
        let mut address = String::new();
        let output = server.stdout.take().expect("its output");
        BufReader::new(output).read_line(&mut address).expect("an address");
        Self { server, address: address.trim().to_owned() }
    }

    fn cltv(&self, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_cltv"))
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .args(arguments)
            .env("AWS_ENDPOINT_URL", &self.address)
            .env("AWS_ALLOW_HTTP", "true")
            .env("AWS_REGION", "us-east-1")
            .env("AWS_ACCESS_KEY_ID", "testing")
            .env("AWS_SECRET_ACCESS_KEY", SECRET)
            .output()
            .expect("the program starts")
    }

    /// Stops the server. The objects under `s3://crm/out/` are then in the subfolder `out`.
    fn stop(mut self) {
        drop(self.server.stdin.take());
        assert!(self.server.wait().expect("an end").success());
    }
}

fn bytes(path: &Path) -> Vec<u8> {
    std::fs::read(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

#[test]
#[ignore = "needs CLTV_PYTHON"]
fn a_run_from_and_to_an_object_store_is_a_local_run_in_python() {
    let (place, local) = (folder(), folder());
    std::fs::copy(project("data/flo_sample.csv"), place.path().join("flo.csv")).expect("copied");
    let store = Store::of(place.path());
    let run = |input: &str, output: &str, more: &[&str]| {
        let mut arguments = vec!["run", "pipelines/flo.toml", "--input", input, "--output", output];
        arguments.extend(more);
        let output = store.cltv(&arguments);
        let all = [&output.stdout[..], &output.stderr[..]].concat();
        assert!(!String::from_utf8_lossy(&all).contains(SECRET));
        output
    };
    let fine = |output: Output| assert!(output.status.success(), "{}", stderr(&output));
    fine(run("s3://crm/in/flo.csv", "s3://crm/out/one", &["-v"]));
    fine(run("s3://crm/in/*.csv", "s3://crm/out/two", &["--set", "output.partition=as_of"]));
    fine(run("s3://crm/in/", "s3://crm/out/four", &[]));
    fine(run("s3://crm/in/", "s3://crm/out/four/", &["--set", "output.formats=[\"parquet\"]"]));
    let missing = run("s3://crm/in/none.csv", "s3://crm/out/three", &[]);
    assert_eq!(missing.status.code(), Some(3), "{}", stderr(&missing));
    assert!(stderr(&missing).contains("s3://crm/in/none.csv"), "{}", stderr(&missing));
    let nothing = run("s3://crm/in/*.parquet", "s3://crm/out/three", &[]);
    assert_eq!(nothing.status.code(), Some(3), "{}", stderr(&nothing));
    let model = store.cltv(&["fit", "pipelines/flo.toml", "--output", "s3://crm/out/model"]);
    fine(model);
    store.stop();

    run_ok("pipelines/flo.toml", &project("data/flo_sample.csv"), local.path(), &[]);
    let out = place.path().join("out");
    let partition = out.join("two/as_of=2021-05-31");
    for file in ["customers.parquet", "model.json", "segments.csv", "forecast.csv"] {
        let expected = bytes(&local.path().join(file));
        assert!(bytes(&out.join("one").join(file)) == expected, "{file} differs");
        assert!(bytes(&partition.join(file)) == expected, "{file} of the partition differs");
    }
    assert!(partition.join("customers.csv").is_file());
    assert!(out.join("four/customers.parquet").is_file());
    assert!(!out.join("four/customers.csv").exists(), "an earlier run's file is left");
    assert!(!out.join("three").exists());
    assert!(bytes(&out.join("model/model.json")) == bytes(&local.path().join("model.json")));
    let manifest = json(&out.join("one/run.json"));
    assert_eq!(manifest["inputs"][0]["file"], "s3://crm/in/flo.csv");
    let text = String::from_utf8(bytes(&out.join("one/run.json"))).expect("text");
    assert!(!text.contains(SECRET) && !text.contains("testing"));
}

#[test]
fn a_path_with_credentials_is_refused_and_not_repeated() {
    for path in ["s3://key:hunter2@crm/in.csv", "az://crm/in.csv?sv=1&sig=hunter2"] {
        for arguments in [
            ["run", "pipelines/flo.toml", "--input", path, "--output", "unused"],
            ["run", "pipelines/flo.toml", "--input", "data/flo_sample.csv", "--output", path],
        ] {
            let output = cltv(arguments);
            assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
            assert!(!stderr(&output).contains("hunter2"), "{}", stderr(&output));
            let place = folder();
            let events = place.path().join("events.ndjson");
            let lineage = ["--openlineage".into(), events.clone().into_os_string()];
            cltv(arguments.map(Into::into).into_iter().chain(lineage));
            assert!(!events.exists(), "{:?}", std::fs::read_to_string(&events));
        }
    }
    assert!(!project("unused").exists());
}
