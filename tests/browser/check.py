"""Opens a report in headless Chromium and checks it as a reader sees it.

    python check.py PAGE RUN_FOLDER SCREENSHOTS NAME CHROMIUM

PAGE is report.html, RUN_FOLDER the run it was made from, NAME the name of the screenshots. Every fault is
printed; the exit code is 1 if there was one.
"""

import csv
import json
import sys
from pathlib import Path

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import sync_playwright

SECTIONS = ["overview", "segments", "forecast", "customers", "rfm", "model", "data"]
WIDTHS = [360, 1440]
SCHEMES = ["light", "dark"]
# What axe-core checks: both widths and both colour schemes.
ACCESSIBLE = [(360, "dark"), (1440, "light")]
# Without a network: Chromium must not request anything when it starts.
ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]

faults = []


def hold(condition, message):
    if not condition:
        faults.append(message)


def rows(path):
    with open(path, encoding="utf-8") as file:
        return list(csv.DictReader(file))


def numbers(page, table):
    """The exact values of a table, by the name of the row; None where a cell is not a number."""
    return page.evaluate(
        """(id) => Object.fromEntries([...document.querySelectorAll(`#${id} tbody tr`)].map((row) => [
            row.children[0].textContent,
            [...row.children].slice(1).map((td) => td.dataset.v === undefined ? null : Number(td.dataset.v)),
        ]))""",
        table,
    )


def same(found, expected, what):
    """Equal to the last digit: the page shows the files' numbers."""
    expected = float(expected)
    hold(
        found is not None and abs(found - expected) <= 1e-12 * max(1.0, abs(expected)),
        f"{what}: the page has {found}, the file {expected}",
    )


def looks(page, name, width):
    """Everything is present, drawn, and fits the screen."""
    wide = page.evaluate("document.documentElement.scrollWidth")
    hold(wide <= width, f"{name}: {wide} px wide on a screen of {width} px")
    for section in SECTIONS:
        hold(page.locator(f"section#{section} h2").count() == 1, f"{name}: no section {section}")
    charts = page.evaluate(
        """() => [...document.querySelectorAll("figure.chart")].map((figure) => {
            const shown = [...figure.querySelectorAll("svg")].find((svg) => svg.getClientRects().length > 0);
            const marks = shown ? [...shown.querySelectorAll(".m")].filter((mark) => {
                const box = mark.getBoundingClientRect();
                return box.width > 0 || box.height > 0;
            }) : [];
            const texts = shown ? [...shown.querySelectorAll("text")] : [];
            const outer = figure.getBoundingClientRect();
            const cut = texts.filter((text) => {
                const box = text.getBoundingClientRect();
                return box.left < outer.left - 1 || box.right > outer.right + 1;
            });
            const fill = marks.length ? getComputedStyle(marks[0]).fill : "";
            return {
                id: figure.id, marks: marks.length, cut: cut.map((text) => text.textContent), fill,
                rows: figure.querySelectorAll("tbody tr").length,
            };
        })"""
    )
    hold(len(charts) >= 15, f"{name}: {len(charts)} charts only")
    hold(len({chart["id"] for chart in charts}) == len(charts), f"{name}: charts share an id")
    for chart in charts:
        hold(chart["marks"] > 0, f"{name}: chart {chart['id']} has no marks")
        hold(chart["rows"] > 0, f"{name}: chart {chart['id']} has no table")
        hold(not chart["cut"], f"{name}: chart {chart['id']} cuts off {chart['cut']}")
        hold(chart["fill"] != "rgb(0, 0, 0)", f"{name}: chart {chart['id']} has no colour")
    text = page.evaluate("document.body.innerText")
    for word in ["NaN", "undefined", "⟨?⟩", "Infinity"]:
        hold(word not in text, f"{name}: {word} in the page")


def accessible(page, name):
    """axe-core finds no serious fault. Of long tables it checks the first rows only: the others are like
    them. Must run last, because it changes the page."""
    page.evaluate("""() => {
        document.querySelectorAll("details").forEach((details) => { details.open = true; });
        document.querySelectorAll("tbody").forEach((body) => [...body.rows].slice(30).forEach((row) => row.remove()));
    }""")
    found = Axe().run(page).response["violations"]
    for violation in found:
        if violation["impact"] in ("serious", "critical"):
            where = [node["target"] for node in violation["nodes"][:3]]
            hold(False, f"{name}: axe {violation['id']}: {violation['help']} at {where}")


def responds(page, name, folder):
    """Values under the pointer, legends, search, downloads."""
    bar = page.locator("#segment-orders rect.m").first
    bar.scroll_into_view_if_needed()
    bar.hover()
    tip = page.locator("#tip")
    hold(tip.is_visible() and len(tip.inner_text()) > 3, f"{name}: no value under the pointer")
    key = page.locator("#segment-orders .key").first
    key.click()
    faint = page.locator("#segment-orders rect.m.off")
    hold(faint.count() > 0, f"{name}: the legend does nothing")
    hold(key.get_attribute("aria-pressed") == "false", f"{name}: the legend does not say so")
    key.click()
    hold(faint.count() == 0, f"{name}: the legend does not bring back")
    rows_of = "#customers-table tbody tr:visible"
    all_rows = page.locator(rows_of).count()
    page.fill("#search", "no such customer at all")
    hold(page.locator(rows_of).count() == 0, f"{name}: the search finds what is not there")
    hold(len(page.locator("#found").inner_text()) > 0, f"{name}: the search says nothing")
    word = page.locator("#customers-table tbody tr").first.locator("td").nth(1).inner_text()
    page.fill("#search", word)
    found = page.locator(rows_of).count()
    hold(0 < found <= all_rows, f"{name}: the search for {word!r} finds {found} of {all_rows}")
    page.fill("#search", "")
    figure = page.locator("#segment-orders")
    figure.locator("summary").click()
    with page.expect_download() as download:
        figure.locator("button.csv").click()
    path = folder / "download.csv"
    download.value.save_as(path)
    lines = list(csv.reader(open(path, encoding="utf-8-sig")))
    table = numbers(page, "segment-orders-table")
    hold(len(lines) == len(table) + 1, f"{name}: {len(lines)} lines downloaded")
    for line in lines[1:]:
        for text, value in zip(line[1:], table[line[0]]):
            same(value, text, f"{name}: the download of {line[0]}")
    path.unlink()
    figure.locator("summary").click()


def chooses(page, name):
    """Of several drawings, only the chosen one is shown."""
    select = page.locator("#survival select")
    if select.count() == 0:
        return
    for at in ["1", "0"]:
        select.select_option(at)
        shown = page.evaluate("[...document.querySelectorAll('#survival [data-at]')].filter((d) => !d.hidden).map((d) => d.dataset.at)")
        hold(shown == [at], f"{name}: {at} chosen, {shown} shown")


def numbers_are_those_of_the_files(page, run_folder):
    run = json.loads((run_folder / "run.json").read_text())
    months = max(h["months"] for h in run["settings"]["forecast"]["horizons"])
    value = lambda id: float(page.locator(f"#{id} .value").get_attribute("data-v"))
    company = run["company"]
    unknown = any(w["code"] in ("dropout_not_identified", "no_dropout_by_choice") for w in run["warnings"])
    same(value("kpi-orders"), dict(map(tuple, company["expected_orders"]))[months], "expected orders")
    same(value("kpi-alive"), company["mean_p_alive"], "share of customers alive")
    total = [r for r in rows(run_folder / "forecast.csv") if r["scope"] == "total" and r["period"] == "horizon"]
    of_months = {int(r["number"]): r for r in total}
    same(value("kpi-revenue"), of_months[months]["expected_revenue"], "expected revenue")
    forecast = list(numbers(page, "forecast-table").values())
    for cells, row in zip(forecast, total, strict=True):
        step = 3 if run["intervals"] else 1
        same(cells[0], row["expected_orders"], f"orders of {row['number']} months")
        same(cells[step], row["expected_revenue"], f"revenue of {row['number']} months")
    segments = numbers(page, "segments-table")
    for row in rows(run_folder / "segments.csv"):
        cells = segments[row["segment"]]
        names = ["customers", "cltv_lower", "cltv_upper", "mean_cltv", "total_cltv", "share_of_expected_value"]
        names += [f"total_exp_sales_{months}_month", "mean_monetary_avg", "mean_p_alive"]
        for cell, column in zip(cells, names, strict=True):
            if unknown and column == "mean_p_alive":
                hold(cell is None, f"segment {row['segment']}: P(alive) {cell} though the file cannot tell")
                continue
            same(cell, row[column], f"segment {row['segment']}, {column}")
    top = rows(run_folder / "top_customers.csv")
    shown = list(numbers(page, "top-table").values())
    hold(len(shown) == len(top), f"{len(shown)} of {len(top)} top customers")
    renamed = run["settings"]["output"]["rename"]
    for i, (cells, row) in enumerate(zip(shown, top)):
        values = [cell for cell in cells if cell is not None]
        columns = ["cltv", f"exp_sales_{months}_month", "p_alive", "exp_average_value", "frequency", "days_since_last_order"]
        columns = [column for column in columns if not (unknown and column == "p_alive")]
        for cell, column in zip(values, columns):
            same(cell, row[renamed.get(column, column)], f"top customer {i + 1}, {column}")
    rfm = list(numbers(page, "rfm-table").values())
    cross = list(numbers(page, "rfm-cross-table").values())
    labels = [segment["label"] for segment in run["segments"]]
    for cells, across, row in zip(rfm, cross, rows(run_folder / "rfm.csv"), strict=True):
        same(cells[0], row["customers"], f"RFM segment {row['rfm_segment']}, customers")
        same(cells[4], row["mean_cltv"], f"RFM segment {row['rfm_segment']}, mean cltv")
        for cell, label in zip(across, reversed(labels), strict=True):
            same(cell, row[f"customers_{label}"], f"RFM segment {row['rfm_segment']} in {label}")
    model = json.loads((run_folder / "model.json").read_text())
    parameters = list(numbers(page, "parameters-table").values())
    known = [v for part in ("purchases", "spend") for v in run[part]["parameters"].items()]
    for cells, (name, number) in zip(parameters, known, strict=True):
        if name not in run["purchases"]["not_identified"]:
            same(cells[0], number, f"parameter {name}")
    hold(str(model["schema_version"]) != "", "model.json has no version")
    table = list(numbers(page, "rows-table").values())
    same(table[0][0], run["rows"]["read"], "rows read")
    same(table[-1][0], run["rows"]["customers"], "customers")
    limits = numbers(page, "limits-table") if run["outlier_limits"] else {}
    for limit in run["outlier_limits"]:
        expected = [limit[key] for key in ("lower_applied", "upper_applied", "raised", "lowered")]
        for cell, number in zip(limits[limit["column"]], expected, strict=True):
            same(cell, number, f"limits of {limit['column']}")
    codes = page.evaluate("[...document.querySelectorAll('#model .notice')].map((n) => n.dataset.code)")
    hold(codes == [w["code"] for w in run["warnings"]], f"diagnostics: {codes}")
    figures = json.loads((run_folder / "figures.json").read_text())
    for distribution in figures["distributions"]:
        table = list(numbers(page, f"distribution-{distribution['measure']}-table").values())
        counts = list(zip(*reversed(distribution["counts"])))
        for cells, expected in zip(table, counts):
            hold(cells == list(expected), f"distribution of {distribution['measure']}: {cells} {expected}")


def main():
    page_file, run_folder, shots, name = Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]), sys.argv[4]
    shots.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=sys.argv[5], args=ARGUMENTS)
        for width in WIDTHS:
            for scheme in SCHEMES:
                context = browser.new_context(
                    viewport={"width": width, "height": 900}, color_scheme=scheme, offline=True
                )
                page = context.new_page()
                where = f"{name}-{width}-{scheme}"
                page.on("console", lambda m: hold(m.type != "error", f"{where}: console: {m.text}"))
                page.on("pageerror", lambda e: hold(False, f"{where}: script: {e}"))
                page.on("dialog", lambda d: (hold(False, f"{where}: dialog: {d.message}"), d.dismiss()))
                page.goto(page_file.absolute().as_uri())
                looks(page, where, width)
                page.screenshot(path=shots / f"{where}.png", full_page=True)
                if width == WIDTHS[-1] and scheme == SCHEMES[0]:
                    responds(page, where, shots)
                    chooses(page, where)
                    numbers_are_those_of_the_files(page, run_folder)
                    page.emulate_media(media="print")
                    page.pdf(path=shots / f"{name}.pdf", format="A4")
                    page.emulate_media(media="screen")
                if (width, scheme) in ACCESSIBLE:
                    accessible(page, where)
                context.close()
        # Without the script, the report lacks only conveniences.
        context = browser.new_context(java_script_enabled=False, viewport={"width": 1440, "height": 900})
        page = context.new_page()
        page.goto(page_file.absolute().as_uri())
        hold(page.locator("#segment-orders rect.m").first.is_visible(), f"{name}: no charts without a script")
        browser.close()
    for fault in faults:
        print(fault)
    sys.exit(1 if faults else 0)


main()
