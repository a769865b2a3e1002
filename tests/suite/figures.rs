//! figures.json against the tables of the same run.

use std::path::Path;

use cltv::results::chart_data::{ChartData, DerivedQuantity, Distribution, HoldoutMethod};
use polars::prelude::*;

use crate::support::*;

const SAMPLE: &str = "data/flo_sample.csv";
const LOG: &str = "data/orders_sample.csv";
const CUT: [&str; 2] = ["--set", "transactions.calibration_end=2011-06-09"];

fn figures(out: &Path) -> ChartData {
    let text = std::fs::read_to_string(out.join("figures.json")).expect("figures.json");
    serde_json::from_str(&text).expect("figures")
}

/// For each customer, the position of the customer's segment.
fn members(customers: &DataFrame, segments: &[String]) -> Vec<usize> {
    let position = |label: String| segments.iter().position(|segment| *segment == label);
    let labels = texts(customers, "cltv_segment").into_iter();
    labels.map(|label| position(label).expect("a segment")).collect()
}

/// The number of customers in each segment.
fn sizes(member: &[usize], segments: usize) -> Vec<u64> {
    (0..segments).map(|s| member.iter().filter(|m| **m == s).count() as u64).collect()
}

fn is_histogram_of(found: &Distribution, values: &[f64], member: &[usize]) {
    assert!(found.edges.windows(2).all(|pair| pair[0] < pair[1]), "{:?}", found.edges);
    let (mut counts, mut above) = (found.counts.clone(), found.above.clone());
    counts.iter_mut().flatten().chain(&mut above).for_each(|count| *count = 0);
    for (value, &segment) in values.iter().zip(member) {
        match found.edges.windows(2).position(|edge| edge[0] <= *value && *value < edge[1]) {
            Some(bin) => counts[segment][bin] += 1,
            None => above[segment] += 1,
        }
    }
    assert_eq!((&found.counts, &found.above), (&counts, &above), "{}", found.measure);
    // The last edge is the first round number above the 99 % quantile.
    let beyond = above.iter().sum::<u64>() as f64;
    assert!(beyond <= 0.011 * values.len() as f64, "{}: {beyond} above", found.measure);
    assert!((8..=25).contains(&counts[0].len()), "{}: {} bins", found.measure, counts[0].len());
}

/// All counts of customers, against customers.parquet.
fn counts_hold(found: &ChartData, customers: &DataFrame) {
    let member = members(customers, &found.segments);
    let sizes = sizes(&member, found.segments.len());
    let sums = |counts: &[Vec<u64>]| counts.iter().map(|c| c.iter().sum()).collect::<Vec<u64>>();
    let measures: Vec<&str> = found.distributions.iter().map(|d| d.measure.as_str()).collect();
    assert_eq!(measures, ["cltv", "exp_sales_3_month", "exp_sales_6_month", "exp_average_value"]);
    for distribution in &found.distributions {
        is_histogram_of(distribution, &numbers(customers, &distribution.measure), &member);
    }
    assert_eq!(sums(&found.ages.counts), sizes);
    let cells = &found.recency_frequency;
    let by_segment: Vec<u64> = cells.counts.iter().map(|c| c.iter().flatten().sum()).collect();
    assert_eq!(by_segment, sizes);
    let frequency = numbers(customers, "frequency");
    let recency = numbers(customers, "recency_weekly");
    let (x, row) = (cells.frequency_from[1] as f64, cells.recency_edges.len() / 2);
    let (from, to) = (cells.recency_edges[row], cells.recency_edges[row + 1]);
    let next = cells.frequency_from[2] as f64;
    let there = |i: &usize| (from..to).contains(&recency[*i]) && (x..next).contains(&frequency[*i]);
    let found_there: u64 = cells.counts.iter().map(|segment| segment[row][1]).sum();
    assert_eq!(found_there, (0..frequency.len()).filter(there).count() as u64);
    let (r, f) = (numbers(customers, "rfm_recency"), numbers(customers, "rfm_frequency"));
    let cltv = numbers(customers, "cltv");
    assert_eq!(found.rfm_grid.len(), 25);
    for cell in &found.rfm_grid {
        let inside =
            |i: &usize| r[*i] == f64::from(cell.recency) && f[*i] == f64::from(cell.frequency);
        let values: Vec<f64> = (0..r.len()).filter(inside).map(|i| cltv[i]).collect();
        assert_eq!(cell.customers, values.len() as u64);
        let mean = values.iter().sum::<f64>() / values.len().max(1) as f64;
        close("mean cltv", cell.mean_cltv.unwrap_or(0.0), mean, 1e-12);
        assert_eq!(cell.mean_cltv.is_some(), cell.customers > 0);
    }
    let silence = numbers(customers, "days_since_last_order");
    for bin in &found.fit.silence_days {
        let inside = |days: &&f64| **days >= bin.from && bin.to.is_none_or(|to| **days < to);
        assert_eq!(bin.observed, silence.iter().filter(inside).count() as u64, "{bin:?}");
    }
    for bins in [&found.fit.frequency, &found.fit.silence_days] {
        assert_eq!(bins.iter().map(|bin| bin.observed).sum::<u64>(), member.len() as u64);
        // Of 200,000 draws, a filter keeps a few tenths, and each draw represents less than one
        // customer: the standard error is well below 1 %.
        let expected: f64 = bins.iter().map(|bin| bin.expected).sum();
        close("expected customers", expected, member.len() as f64, 0.02);
    }
}

/// The customers with the highest lifetime value come first, ties in input order, as in
/// top_customers.csv.
fn lines_hold(found: &ChartData, customers: &DataFrame, kept: &[&str]) {
    let cltv = numbers(customers, "cltv");
    let mut order: Vec<usize> = (0..cltv.len()).collect();
    order.sort_by(|a, b| cltv[*b].total_cmp(&cltv[*a]));
    order.truncate(1000);
    assert_eq!(found.customers.len(), order.len());
    let text = |name: &str| texts(customers, name);
    let (id, segment, rfm) = (text("customer_id"), text("cltv_segment"), text("rfm_segment"));
    let kept: Vec<Vec<String>> = kept.iter().map(|name| text(name)).collect();
    let columns = [
        "frequency",
        "recency_weekly",
        "T_weekly",
        "monetary_avg",
        "days_since_last_order",
        "p_alive",
        "exp_sales_3_month",
        "exp_sales_6_month",
        "exp_average_value",
        "cltv",
    ]
    .map(|name| numbers(customers, name));
    for (line, i) in found.customers.iter().zip(order) {
        assert_eq!(
            (&line.customer_id, &line.segment, &line.rfm_segment),
            (&id[i], &segment[i], &rfm[i])
        );
        assert_eq!(
            line.kept_columns,
            kept.iter().map(|texts| texts[i].clone()).collect::<Vec<_>>()
        );
        let values = [
            line.frequency,
            line.recency,
            line.age,
            line.monetary_avg.expect("money"),
            line.days_since_last_order,
            line.p_alive,
            line.expected_orders[0],
            line.expected_orders[1],
            line.exp_average_value.expect("money"),
            line.cltv.expect("money"),
        ];
        assert_eq!(values, columns.each_ref().map(|column| column[i]));
    }
}

#[test]
fn figures_of_an_export_are_those_of_its_tables() {
    let out = folder();
    let few = ["--set", "uncertainty.draws=100", "--set", "uncertainty.level=0.8"];
    run_ok("pipelines/flo_selection_aware.toml", &project(SAMPLE), out.path(), &few);
    let found = figures(out.path());
    let customers = parquet(&out.path().join("customers.parquet"));
    assert_eq!((found.schema_version, found.segments.join("")), (1, "DCBA".to_owned()));
    counts_hold(&found, &customers);
    let kept = ["order_channel", "last_order_channel", "interested_in_categories_12"];
    lines_hold(&found, &customers, &kept);
    assert!(found.survival.is_empty() && found.holdout.is_none());
    // Nobody in the file ordered only once. The window limits the time since the last order: 13
    // bins of four weeks.
    assert_eq!((found.fit.frequency[0].from, found.fit.silence_days.len()), (1.0, 13));
    let parameters = &json(&out.path().join("model.json"))["purchases"]["parameters"];
    let [r, alpha, a, b] =
        ["r", "alpha", "a", "b"].map(|name| number(parameters, &format!("/{name}")));
    assert_eq!((found.level, found.derived[0].name), (0.8, DerivedQuantity::TimeBetweenOrders));
    close("α/r", found.derived[0].value, alpha / r, 1e-12);
    close("a/(a+b)", found.derived[1].value, a / (a + b), 1e-12);
    for quantity in &found.derived {
        let [low, high] = quantity.interval.expect("an interval");
        assert!(low < quantity.value && quantity.value < high, "{quantity:?}");
    }
    let run = json(&out.path().join("run.json"));
    for (profile, intervals) in
        [("/company", "/intervals/company"), ("/segments/3", "/intervals/segments/3")]
    {
        let mean = number(&run, &format!("{profile}/mean_p_alive"));
        let end = |name: &str| number(&run, &format!("{intervals}/alive/{name}"));
        assert!(end("low") < mean && mean < end("high") && end("high") <= 1.0, "{profile}");
    }
}

/// A penalised fit has no standard errors. Without a section on uncertainty, the level is 90 %.
#[test]
fn a_penalised_fit_has_no_intervals() {
    let out = folder();
    run_ok("pipelines/flo.toml", &project(SAMPLE), out.path(), &[]);
    let found = figures(out.path());
    assert_eq!(found.level, 0.9);
    assert!(found.derived.iter().all(|quantity| quantity.interval.is_none()));
    // Its q is below 1, so there is no mean order value.
    assert!(found.derived.iter().all(|quantity| quantity.name != DerivedQuantity::MeanOrderValue));
    // All three kept columns of the pipeline.
    assert_eq!(found.customers[0].kept_columns.len(), 3);
}

#[test]
fn figures_of_a_log_are_those_of_its_tables() {
    let out = folder();
    run_ok("pipelines/transactions.toml", &project(LOG), out.path(), &CUT);
    let found = figures(out.path());
    let customers = parquet(&out.path().join("customers.parquet"));
    counts_hold(&found, &customers);
    lines_hold(&found, &customers, &["Country"]);
    assert_eq!(found.survival.len(), 50);
    for (line, curve) in found.customers.iter().zip(&found.survival) {
        assert_eq!(curve.customer_id, line.customer_id);
        let (last, alive) =
            (curve.days.last().expect("a day"), curve.p_alive.last().expect("a value"));
        close("T", *last, line.age * 7.0, 1e-12);
        close("P(alive)", *alive, line.p_alive, 1e-12);
        assert_eq!(curve.orders.len() as f64, line.frequency);
        assert!(curve.days.windows(2).all(|pair| pair[0] < pair[1]));
        assert!(curve.p_alive.iter().all(|p| (0.0..=1.0).contains(p)));
        let first: chrono::NaiveDate = curve.first_order.parse().expect("a date");
        assert_eq!((first + chrono::Days::new(*last as u64)).to_string(), "2011-06-09");
        for order in &curve.orders {
            let at = curve.days.iter().position(|day| day == order).expect("a point at an order");
            assert!(curve.days[at - 1] == order - 1.0, "{curve:?}");
        }
    }
}

/// The figures of the run's model and of the naive forecasts are those of `cltv evaluate` and
/// tracking.csv.
#[test]
fn the_holdout_is_that_of_an_evaluation() {
    let (out, evaluated) = (folder(), folder());
    run_ok("pipelines/transactions.toml", &project(LOG), out.path(), &CUT);
    let evaluate = ["evaluate", "pipelines/transactions.toml", "--output"].map(Into::into);
    let target = evaluated.path().as_os_str().to_owned();
    let output = cltv(evaluate.into_iter().chain([target]).chain(CUT.map(Into::into)));
    assert!(output.status.success(), "{}", stderr(&output));
    let holdout = figures(out.path()).holdout.expect("a holdout");
    assert_eq!((&*holdout.calibration_end, &*holdout.holdout_end), ("2011-06-09", "2011-12-09"));
    let names: Vec<&str> = holdout.methods.iter().map(|method| method.name.as_str()).collect();
    assert_eq!(names, ["bg_nbd", "zero", "last_period", "own_rate", "population_rate"]);
    let table = csv(&evaluated.path().join("evaluation.csv"));
    let rows = texts(&table, "name");
    for method in &holdout.methods {
        assert_eq!(method.baseline, method.name != "bg_nbd");
        let row = rows.iter().position(|name| *name == method.name).expect("a method");
        type Of = fn(&HoldoutMethod) -> f64;
        let measures: [(&str, Of); 6] = [
            ("expected_orders", |m| m.expected_orders),
            ("actual_orders", |m| m.actual_orders),
            ("mae", |m| m.mae),
            ("rmse", |m| m.rmse),
            ("expected_value", |m| m.expected_value.expect("money")),
            ("actual_value", |m| m.actual_value.expect("money")),
        ];
        for (column, of) in measures {
            close(column, of(method), numbers(&table, column)[row], 1e-12);
        }
    }
    let tracking = csv(&out.path().join("tracking.csv"));
    let weeks = tracking.lazy().filter(col("period").eq(lit("holdout"))).collect().expect("weeks");
    let orders: f64 = numbers(&weeks, "actual_repeat_orders").iter().sum();
    assert_eq!(holdout.methods[0].actual_orders, orders);
    let deciles: Vec<u32> = holdout.deciles.iter().map(|decile| decile.decile).collect();
    assert_eq!(deciles, (1..=10).collect::<Vec<_>>());
    let customers: u64 = holdout.deciles.iter().map(|decile| decile.customers).sum();
    assert_eq!(customers as usize, parquet(&out.path().join("customers.parquet")).height());
    let sum: f64 = holdout.deciles.iter().map(|decile| decile.expected_orders).sum();
    close("deciles", sum, holdout.methods[0].expected_orders, 1e-12);
}

/// Several orders per day, or all orders counted as repeat orders: the curves still end at
/// P(alive). With all orders counted there is no holdout, because the model does not count the same
/// orders.
#[test]
fn curves_count_what_the_frequency_counts() {
    // If one-time buyers counted as having one repeat order, BG/NBD would have no estimate.
    for (frequency, same_day, least) in [("repeat_orders", "false", "1"), ("orders", "true", "2")] {
        let out = folder();
        let frequency = format!("summary.frequency={frequency}");
        let same_day = format!("transactions.merge_same_day={same_day}");
        let least = format!("summary.min_orders={least}");
        let sets = [&frequency, &same_day, &least, CUT[1]];
        let more: Vec<&str> = sets.into_iter().flat_map(|set| ["--set", set]).collect();
        run_ok("pipelines/transactions.toml", &project(LOG), out.path(), &more);
        let found = figures(out.path());
        for (line, curve) in found.customers.iter().zip(&found.survival) {
            let alive = curve.p_alive.last().expect("a point");
            close("P(alive)", *alive, line.p_alive, 1e-12);
        }
        assert_eq!(found.survival.len(), 50);
        assert_eq!(found.holdout.is_some(), frequency.ends_with("repeat_orders"));
    }
}

/// Without a calibration end, no orders come after the calibration, so there is no holdout.
#[test]
fn without_a_holdout_there_is_none() {
    let out = folder();
    run_ok("pipelines/transactions.toml", &project(LOG), out.path(), &[]);
    assert_eq!(figures(out.path()).holdout, None);
}
