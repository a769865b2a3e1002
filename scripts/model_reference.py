#!/usr/bin/env python3
"""Reference values for the three customer models, by 60-digit arithmetic.

    pip install mpmath==1.3.0
    python3 scripts/model_reference.py > tests/suite/model_reference.csv

It needs nothing but mpmath and takes about seven minutes on one core.  The
table, with values to 25 digits, goes to standard output; a summary goes to
standard error.

The models (x repeat orders, the last of them at time t_x, observed until T):

  bg_nbd      p1..p4 = r, alpha, a, b.  Order rate ~ Gamma(r, rate alpha); after
              each repeat order the customer leaves with probability
              p ~ Beta(a, b).
  mbg_nbd     The same, but the customer can also leave after the first order.
  pareto_nbd  p1..p4 = r, alpha, s, beta.  The customer leaves at a rate
              mu ~ Gamma(s, rate beta), whatever the orders.

The quantities, one per row:

  ln_likelihood    log likelihood of (x, t_x, T), without any 1/x! factor
  p_alive          probability of being alive at T given (x, t_x, T)
  expected_orders  expected orders in (T, T + t] given (x, t_x, T)
  new_customer     expected repeat orders of a new customer in (0, t]
  pmf              probability of exactly n orders in (T, T + t] given (x, t_x, T)
  p_selected       selection probability: that a customer observed for T has a
                   repeat order, and that the last one lies within the last t
                   time units (the window is in the column t)

Columns that a quantity does not use are 0.  Every input is exactly the double
that is printed.

Each value is computed in two ways that share as little as possible, and is
written only if the two agree to AGREE (relative):

  * beta and gamma functions: by log-gamma, and by multiplying out the factors;
  * mean over the dropout probability: by a hypergeometric function, and by the
    trapezoid rule in logit(p), halving the step until the sum settles (where
    the hypergeometric series does not converge: Gauss-Legendre between points
    set around the peak, instead of the series);
  * mean over the dropout rate: in closed form, and by the trapezoid rule in
    log(mu);
  * integral over time: by hypergeometric functions (for a pmf: the trapezoid
    rule in logit(time / t)), and by Gauss-Legendre between points set around
    the peak;
  * tail of a negative binomial: as one minus the terms below n, and as the sum
    of the terms from n on (or an incomplete beta function if these are too
    many).
"""

import csv
import sys
import time
from collections import Counter
from functools import lru_cache
from math import gcd

from mpmath import mp, mpf
from mpmath.libmp import NoConvergence

DIGITS = 60  # working precision; some steps go higher
MORE_DIGITS = 120  # for differences that nearly cancel
AGREE = mpf("1e-25")
SETTLED = mpf("1e-20")  # a trapezoid sum that changes by less is final
NEGLIGIBLE = mpf("1e-45")  # terms below this, relative to the largest, are left out

mp.dps = DIGITS


# --- What is tabulated -----------------------------------------------------

BG_SETS = [
    (0.2425945, 4.4136019, 0.7929199, 2.4258881),
    (0.11, 2.24, 0.31, 0.50),
    (0.5923, 21.293, 4.906, 42.40),
    (0.55, 10.0, 1.0, 2.5),
    (1.5, 30.0, 1.0000001, 0.2),
    (2.9476, 78.79, 1e-6, 1.0),
    (2.0, 50.0, 1e-3, 1e-3),
    (0.6, 21.0, 2e4, 1e6),
    (0.01, 0.05, 0.05, 0.02),
    (50.0, 500.0, 3.0, 4.0),
    (20.0, 0.5, 0.3, 8.0),
    (3.0, 1000.0, 1e-2, 1e4),
]
PARETO_SETS = [
    (0.55315, 10.57633, 0.60625, 11.67150),
    (0.55, 10.58, 0.61, 11.67),
    (0.55, 10.0, 0.61, 10.0),
    (0.55, 10.0, 1.0, 12.0),
    (1.5, 30.0, 1.0000001, 0.5),
    (2.9476, 78.79, 1e-6, 1.0),
    (0.01, 0.05, 0.05, 0.02),
    (50.0, 500.0, 3.0, 40.0),
    (20.0, 0.5, 0.3, 800.0),
    (0.6, 200.0, 5.0, 0.1),
    (0.6, 0.1, 5.0, 2000.0),
]
SETS = {"bg_nbd": BG_SETS, "mbg_nbd": BG_SETS, "pareto_nbd": PARETO_SETS}

HISTORIES = [  # x, t_x, T
    (0, 0.0, 0.142857),
    (0, 0.0, 38.86),
    (0, 0.0, 10000.0),
    (1, 0.142857, 38.86),
    (2, 30.43, 38.86),
    (26, 30.857142857, 31.0),
    (26, 31.0, 31.0),
    (132, 200.0, 200.0),
    (133, 200.0, 200.0),
    (133, 10.0, 200.0),
    (1000, 390.0, 400.0),
    (1000, 100.0, 400.0),
    (100000, 9999.0, 10000.0),
    (100000, 10000.0, 10000.0),
    (100000, 5000.0, 10000.0),
]
HORIZONS = [1e-6, 1.0, 39.0, 520.0, 1e5]
COUNTS = [0, 1, 2, 10, 100]
NEAR_MEAN = -1  # means the count nearest to the mean
AGES = [10.0, 53.0, 104.0, 400.0, 10000.0]
WINDOWS = [1.0, 13.0, 52.42857142857143, 1000.0]

# Number of rows for each parameter set, and for the first set of a model.
QUOTAS = {
    "ln_likelihood": (5, 15),
    "p_alive": (3, 12),
    "expected_orders": (7, 12),
    "new_customer": (2, 5),
    "pmf": (5, 8),
    "p_selected": (3, 6),
}
SMALLEST = {
    "p_alive": mpf("1e-290"),
    "expected_orders": mpf("1e-290"),
    "pmf": mpf("1e-250"),
}


# --- Tools -----------------------------------------------------------------


def exact(values):
    """The doubles (or whole numbers) as exact mpf numbers."""
    return [mpf(v) if isinstance(v, int) else mpf(float(v)) for v in values]


def log_beta(a, b):
    return mp.loggamma(a) + mp.loggamma(b) - mp.loggamma(a + b)


@lru_cache(maxsize=None)
def rising(a, count):
    """a (a + 1) ... (a + count - 1), multiplied out."""
    product = mpf(1)
    for i in range(count):
        product *= a + i
    return product


def less_than_one(power, ratio):
    """1 - (1 + ratio)^-power, also for a tiny ratio."""
    return -mp.expm1(-power * mp.log1p(ratio))


def near_singular(formula, a):
    """formula(a) where it has a removable singularity at a = 1."""
    if a != 1:
        return formula(a)
    with mp.workdps(MORE_DIGITS):
        step = mpf(10) ** -35
        return (formula(1 + step) + formula(1 - step)) / 2


def trapezoid(f, low, high, offset=mpf(0)):
    """offset + the integral of f over the real line; f falls off at both ends.

    A pass with step 1/2 over [low, high] finds where f matters; the step is
    then halved until the sum settles.  For a smooth function that falls off
    exponentially, each halving doubles the number of correct digits, so the
    error is far below the last change.
    """
    step = mpf(1) / 2
    points = [low + step * k for k in range(int((high - low) / step) + 1)]
    values = [f(u) for u in points]
    limit = max(abs(v) for v in values + [offset]) * NEGLIGIBLE
    matters = [k for k, v in enumerate(values) if abs(v) > limit]
    first, last = max(matters[0] - 2, 0), min(matters[-1] + 2, len(points) - 1)
    if matters[0] == 0 or matters[-1] == len(points) - 1:
        raise ArithmeticError("the range of the trapezoid rule is too short")
    start, count = points[first], last - first
    total = mp.fsum(values[first : last + 1])
    previous = total * step
    for halving in range(1, 16):
        total += mp.fsum(f(start + step * (k + mpf(1) / 2)) for k in range(count))
        step, count = step / 2, count * 2
        current = total * step
        if halving >= 2 and abs(current - previous) <= SETTLED * abs(offset + current):
            return offset + current
        previous = current
    raise ArithmeticError("the trapezoid rule did not settle")


def gauss_legendre(f, points):
    """The integral of f between the first and last of the points.

    mp.quad aims at an absolute error, so f is scaled to 1 first.
    """
    largest = max(abs(f(p)) for p in points)
    scaled = mp.quad(lambda y: f(y) / largest, points, method="gauss-legendre")
    return scaled * largest


def points_around(mode, width, low, high, scales=()):
    """Points from low to high, at distances that double: on both sides of the
    mode, and above low for each of the scales."""
    found = {low, high, mode}
    for centre, unit in [(mode, width)] + [(low, scale) for scale in scales]:
        distance = unit / 4
        while distance < high - low:
            found.update((centre - distance, centre + distance))
            distance *= 2
    return sorted(p for p in found if low <= p <= high)


# --- Means over the dropout probability and the dropout rate ---------------


def beta_mean_trapezoid(f, a, b, at_zero, at_one):
    """Mean of f(p) for p ~ Beta(a, b), with f(0) and f(1) given.

    If a or b is small, the line through f(0) and f(1) is subtracted first, so
    that the rest vanishes at both ends.
    """
    log_norm = log_beta(a, b)
    with_line = min(a, b) < 0.5

    def weighted(u):
        odds = mp.exp(u)
        p = odds / (1 + odds)
        weight = mp.exp(a * u - (a + b) * mp.log1p(odds) - log_norm)
        value = f(p)
        if with_line:
            value -= (at_zero + at_one * odds) / (1 + odds)
        return weight * value

    offset = (at_zero * b + at_one * a) / (a + b) if with_line else mpf(0)
    return trapezoid(weighted, mpf(-320), mpf(320), offset)


def beta_mean_peak(f, a, b):
    """The same by Gauss-Legendre, for large a and b only."""
    log_norm = log_beta(a, b)
    mode, width = mp.log(a / b), mp.sqrt((a + b) / (a * b))

    def weighted(u):
        odds = mp.exp(u)
        weight = mp.exp(a * u - (a + b) * mp.log1p(odds) - log_norm)
        return weight * f(odds / (1 + odds))

    if min(a, b) < 1000:
        raise ArithmeticError("the peak is not sharp enough")
    return gauss_legendre(weighted, [mode + width * k for k in range(-24, 25, 3)])


def by_series(closed, f, a, b):
    """closed(), or the mean by Gauss-Legendre if its series does not converge."""
    try:
        return closed()
    except NoConvergence:
        return beta_mean_peak(f, a, b)


def rate_mean_trapezoid(s, rate, t):
    """Mean of (1 - exp(-mu t)) / mu for mu ~ Gamma(s, rate)."""
    log_norm = mp.loggamma(s)
    with_limit = s < 0.5

    def weighted(v):
        scaled = mp.exp(v)
        mu = scaled / rate
        value = -mp.expm1(-mu * t) / mu - (t if with_limit else 0)
        return mp.exp(s * v - scaled - log_norm) * value

    return trapezoid(weighted, mpf(-320), mpf(12), t if with_limit else mpf(0))


def rate_mean_closed(s, rate, t):
    if s == 1:
        return rate * mp.log1p(t / rate)
    return rate / (s - 1) * less_than_one(s - 1, t / rate)


# --- Integral over time of (c + y)^-p (d + y)^-q ----------------------------


def power_tail(c, p, d, q, start):
    """The integral from start to infinity, by a hypergeometric function."""
    if c < d:
        c, p, d, q = d, q, c, p
    front = (c + start) ** -p * (d + start) ** (1 - q) / (p + q - 1)
    return front * mp.hyp2f1(p, 1, p + q, (c - d) / (c + start))


def power_closed(c, p, d, q, low, high):
    with mp.workdps(MORE_DIGITS):
        return power_tail(c, p, d, q, low) - power_tail(c, p, d, q, high)


def power_quad(c, p, d, q, low, high):
    if low == high:
        return mpf(0)
    width = 1 / (p / (c + low) + q / (d + low))
    points = points_around(low, width, low, high, (c + low, d + low))
    return gauss_legendre(lambda y: (c + y) ** -p * (d + y) ** -q, points)


# --- Likelihood: logs of the alive term and of the dropout term ------------


def terms_bg(params, history, closed, after_first):
    """after_first: whether the customer can leave after the first order."""
    r, alpha, a, b = exact(params)
    (x, _, _), (_, t_x, age) = history, exact(history)
    stays = x + 1 if after_first else x  # times the customer chose to stay
    if closed:
        common = mp.loggamma(r + x) - mp.loggamma(r) + r * mp.log(alpha) - log_beta(a, b)
        alive = common + log_beta(a, b + stays) - (r + x) * mp.log(alpha + age)
        if stays == 0:
            return alive, mp.ninf
        gone = common + log_beta(a + 1, b + stays - 1) - (r + x) * mp.log(alpha + t_x)
        return alive, gone
    common = rising(r, x) * (alpha / (alpha + age)) ** r * (alpha + age) ** -x
    alive = common * rising(b, stays) / rising(a + b, stays)
    if stays == 0:
        return mp.log(alive), mp.ninf
    gone = common * a * rising(b, stays - 1) / rising(a + b, stays)
    gone *= ((alpha + age) / (alpha + t_x)) ** (r + x)
    return mp.log(alive), mp.log(gone)


def terms_pareto(params, history, closed):
    r, alpha, s, beta = exact(params)
    (x, _, _), (_, t_x, age) = history, exact(history)
    integral = power_closed if closed else power_quad
    gone = s * integral(alpha, r + x, beta, s + 1, t_x, age)
    if closed:
        common = mp.loggamma(r + x) - mp.loggamma(r) + r * mp.log(alpha) + s * mp.log(beta)
    else:
        common = mp.log(rising(r, x) * alpha**r * beta**s)
    alive = common - (r + x) * mp.log(alpha + age) - s * mp.log(beta + age)
    return alive, common + mp.log(gone) if gone else mp.ninf


@lru_cache(maxsize=None)
def terms(model, params, history, closed):
    if model == "pareto_nbd":
        return terms_pareto(params, history, closed)
    return terms_bg(params, history, closed, model == "mbg_nbd")


def ln_likelihood(model, params, history, closed):
    alive, gone = terms(model, params, history, closed)
    high, low = max(alive, gone), min(alive, gone)
    return high + mp.log1p(mp.exp(low - high))


def p_alive(model, params, history, closed):
    alive, gone = terms(model, params, history, closed)
    return 1 / (1 + mp.exp(gone - alive))


# --- Expected orders --------------------------------------------------------


def leaving_after(model, params, x):
    """a, b of the dropout probability, for a customer alive after x orders."""
    _, _, a, b = exact(params)
    return a, b + x + (1 if model == "mbg_nbd" else 0)


def bg_mean_orders(shape, rate, a, b, t, closed):
    """Mean over p ~ Beta(a, b) of (1 - (1 + p t / rate)^-shape) / p."""
    tau = t / rate

    def f(p):
        return less_than_one(shape, p * tau) / p

    def formula(a):
        z = t / (rate + t)
        c = a + b - 1
        series = mp.hyp2f1(c - shape, a - 1, c, z)
        return c / (a - 1) * (1 - (1 - z) ** (a - 1) * series)

    def hypergeometric():
        with mp.workdps(MORE_DIGITS):
            return near_singular(formula, a)

    if closed:
        return by_series(hypergeometric, f, a, b)
    return beta_mean_trapezoid(f, a, b, shape * tau, less_than_one(shape, tau))


@lru_cache(maxsize=None)
def mean_if_alive(model, params, x, age, t, closed):
    """Expected orders in (age, age + t] of a customer who is alive at age."""
    p1, p2, p3, p4 = exact(params)
    age, t = exact((age, t))
    shape, rate = p1 + x, p2 + age
    if model == "pareto_nbd":
        mean = rate_mean_closed if closed else rate_mean_trapezoid
        return shape / rate * mean(p3, p4 + age, t)
    a, b = leaving_after(model, params, x)
    return bg_mean_orders(shape, rate, a, b, t, closed)


def expected_orders(model, params, history, t, closed):
    x, _, age = history
    alive = p_alive(model, params, history, closed)
    return alive * mean_if_alive(model, params, x, age, t, closed)


def new_customer(model, params, t, closed):
    mean = mean_if_alive(model, params, 0, 0.0, t, closed)
    if model == "mbg_nbd":
        _, _, a, b = exact(params)
        mean *= b / (a + b)
    return mean


# --- Probability of n orders ------------------------------------------------


def log_nb(n, shape, closed):
    """Log of the binomial coefficient of the negative binomial."""
    if closed:
        return mp.loggamma(shape + n) - mp.loggamma(shape) - mp.loggamma(n + 1)
    return mp.log(rising(shape, n) / mp.factorial(n))


def nb_below(n, shape, z):
    """Sum of the negative binomial terms below n, from n - 1 down."""
    term = mp.exp(log_nb(n - 1, shape, True) + shape * mp.log1p(-z)) * z ** (n - 1)
    total = mpf(0)
    for j in range(n - 1, -1, -1):
        total += term
        smaller = term * j / ((shape + j - 1) * z) if j else mpf(0)
        if smaller < term and term < total * mp.eps:
            break
        term = smaller
    return total


def nb_from(n, shape, z):
    """Sum of the negative binomial terms from n up."""
    if z > 0.999:
        return mp.betainc(n, shape, 0, z, regularized=True)
    term = mp.exp(log_nb(n, shape, True) + shape * mp.log1p(-z)) * z**n
    total, j = mpf(0), n
    while True:
        total += term
        larger = term * (shape + j) / (j + 1) * z
        if larger < term and term < total * mp.eps:
            return total
        term, j = larger, j + 1


def nb_tail(n, shape, rate, t, closed):
    """P(at least n) for the negative binomial."""
    size = -mp.log10(nb_from(n, shape, t / (rate + t)))
    with mp.workdps(DIGITS + 20 + int(size)):
        z = t / (rate + t)
        return nb_from(n, shape, z) if closed else 1 - nb_below(n, shape, z)


def bg_pmf_if_alive(shape, rate, a, b, t, n, closed):
    z = t / (rate + t)
    nb = mp.exp(log_nb(n, shape, closed) + shape * mp.log1p(-z)) * z**n
    if n == 0:
        return nb
    if closed:
        stays = mp.exp(log_beta(a, b + n) - log_beta(a, b))
        leaves = mp.exp(log_beta(a + 1, b + n - 1) - log_beta(a, b))
    else:
        stays = rising(b, n) / rising(a + b, n)
        leaves = a * rising(b, n - 1) / rising(a + b, n)
    return nb * stays + leaves * nb_tail(n, shape, rate, t, closed)


def pareto_pmf_if_alive(shape, rate, s, beta, t, n, closed):
    """rate and beta already include the time observed."""
    log_front = log_nb(n, shape, closed) + shape * mp.log(rate) + s * mp.log(beta)

    def nb_and_survival(time, s):
        return time**n * mp.exp(
            log_front - (shape + n) * mp.log(rate + time) - s * mp.log(beta + time)
        )

    def density(time):
        return s * nb_and_survival(time, s + 1)

    stays = nb_and_survival(t, s)
    if closed:

        def by_logit(u):
            odds = mp.exp(u)
            return density(t * odds / (1 + odds)) * t * odds / (1 + odds) ** 2

        return stays + trapezoid(by_logit, mpf(-320), mpf(320))
    mode, width = pmf_peak(shape, rate, s, beta, t, n)
    points = points_around(mode, width, mpf(0), t, (rate, beta))
    return stays + gauss_legendre(density, points)


def pmf_peak(shape, rate, s, beta, t, n):
    """Where the density is largest in [0, t], and how wide it is there."""
    if n == 0:
        return mpf(0), 1 / (shape / rate + (s + 1) / beta)

    def slope(y):
        return n / y - (shape + n) / (rate + y) - (s + 1) / (beta + y)

    low, high = mp.log(t) - 60, mp.log(t)
    if slope(t) > 0:
        return t, 1 / slope(t)
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if slope(mp.exp(middle)) > 0 else (low, middle)
    y = mp.exp(low)
    curve = n / y**2 - (shape + n) / (rate + y) ** 2 - (s + 1) / (beta + y) ** 2
    return y, min(1 / mp.sqrt(abs(curve)), y)


def pmf(model, params, history, t, n, closed):
    alive = p_alive(model, params, history, closed)
    x, _, age = history
    p1, p2, p3, p4 = exact(params)
    age, t = exact((age, t))
    if model == "pareto_nbd":
        value = pareto_pmf_if_alive(p1 + x, p2 + age, p3, p4 + age, t, n, closed)
    else:
        a, b = leaving_after(model, params, x)
        value = bg_pmf_if_alive(p1 + x, p2 + age, a, b, t, n, closed)
    return alive * value + (1 - alive if n == 0 else 0)


# --- Probability of an order within the window ------------------------------


def bg_p_selected(r, alpha, a, b, age, window, closed):
    if age <= window:
        return 1 - (alpha / (alpha + age)) ** r if closed else less_than_one(r, age / alpha)
    c = age - window

    def f(p):
        return (alpha / (alpha + p * c)) ** r - (alpha / (alpha + p * c + window)) ** r

    def hypergeometric():
        with mp.workdps(MORE_DIGITS):
            never = mp.hyp2f1(r, a, a + b, -c / alpha)
            later = mp.hyp2f1(r, a, a + b, -c / (alpha + window))
            return never - (alpha / (alpha + window)) ** r * later

    if closed:
        return by_series(hypergeometric, f, a, b)
    return beta_mean_trapezoid(f, a, b, f(mpf(0)), f(mpf(1)))


def p_selected(model, params, age, window, closed):
    p1, p2, p3, p4 = exact(params)
    age, window = exact((age, window))
    if model == "pareto_nbd":
        integral = power_closed if closed else power_quad
        start = p4 + max(age - window, mpf(0))
        front = p1 * p2**p1 * p4**p3
        return front * integral(p2, p1 + 1, start, p3, mpf(0), min(window, age))
    a, b = leaving_after(model, params, 0)
    value = bg_p_selected(p1, p2, a, b, age, window, closed)
    return value * p4 / (p3 + p4) if model == "mbg_nbd" else value


# --- Checks against published values ----------------------------------------


def check(name, value, expected, tolerance):
    if abs(value - mpf(expected)) > mpf(tolerance):
        sys.exit(f"{name}: {mp.nstr(value, 15)} where {expected} is expected")
    print(f"checked: {name} = {mp.nstr(value, 12)}", file=sys.stderr)


def check_published():
    params, new = (0.243, 4.414, 0.793, 2.426), (0, 0.0, 0.0)
    check("bg P(X(2) = 10)", pmf("bg_nbd", params, new, 2.0, 10, True), "1.07869e-7", "6e-13")
    check("bg P(X(39) = 0)", pmf("bg_nbd", params, new, 39.0, 0, True), ".57379", "6e-6")
    params = (0.55, 10.58, 0.61, 11.67)
    for x, expected in ((132, "6.2060518"), (133, "6.2528722")):
        value = expected_orders("pareto_nbd", params, (x, 200.0, 200.0), 10.0, True)
        check(f"pareto expected orders, x = {x}", value, expected, "6e-8")
    params = (0.25, 4.0, 0.8, 2.5)
    for history, expected in (((0, 0.0, 40.0), "-0.417928"), ((200, 38.0, 40.0), "100.786910")):
        value = ln_likelihood("mbg_nbd", params, history, True)
        check(f"mbg log likelihood, x = {history[0]}", value, expected, "6e-7")


def check_counts():
    """The probabilities of n orders add up to 1 and have the expected mean."""
    history, t = (2, 30.43, 38.86), 3.0
    for model, sets in SETS.items():
        values = [pmf(model, sets[0], history, t, n, False) for n in range(40)]
        mean = mp.fsum(n * v for n, v in enumerate(values))
        check(f"{model} sum of P(n)", mp.fsum(values), 1, "1e-25")
        expected = expected_orders(model, sets[0], history, t, True)
        check(f"{model} mean of P(n) less the expected orders", mean - expected, 0, "1e-25")


# --- The table ---------------------------------------------------------------


def near_mean(model, params, history, t):
    x, _, age = history
    return round((params[0] + x) * t / (params[1] + age))


def both_ways(function, *arguments):
    return function(*arguments, True), function(*arguments, False)


def compute(quantity, model, params, case):
    """The columns x, t_x, T, t, n of the case and its two values, or None."""
    if quantity in ("ln_likelihood", "p_alive"):
        (history,) = case
        function = ln_likelihood if quantity == "ln_likelihood" else p_alive
        return (*history, 0, 0), both_ways(function, model, params, history)
    if quantity == "expected_orders":
        history, t = case
        return (*history, t, 0), both_ways(expected_orders, model, params, history, t)
    if quantity == "new_customer":
        (t,) = case
        return (0, 0, 0, t, 0), both_ways(new_customer, model, params, t)
    if quantity == "p_selected":
        age, window = case
        return (0, 0, age, window, 0), both_ways(p_selected, model, params, age, window)
    history, t, n = case
    large = history[0] >= 100000
    if large and n not in (0, NEAR_MEAN) or not large and n == NEAR_MEAN:
        return None
    if n == NEAR_MEAN:
        n = near_mean(model, params, history, t)
    if hopeless(model, params, history, t, n):
        return None
    return (*history, t, n), both_ways(pmf, model, params, history, t, n)


def hopeless(model, params, history, t, n):
    """Whether the probability of n orders is certainly too small to tabulate."""
    x, _, age = history
    shape, rate = exact((params[0] + x, params[1] + age))
    alive = p_alive(model, params, history, True)
    if n == 0:
        return False
    log_most = mp.log(alive) + log_nb(n, shape, True) + n * mp.log(t / (rate + t))
    return log_most < mp.log(SMALLEST["pmf"])


def cases(quantity):
    """Every case of the quantity, in order."""
    one = [(h,) for h in HISTORIES]
    two = [(h, t) for h in HISTORIES for t in HORIZONS]
    return {
        "ln_likelihood": one,
        "p_alive": one,
        "expected_orders": two,
        "new_customer": [(t,) for t in HORIZONS],
        "pmf": [(h, t, n) for h, t in two for n in COUNTS + [NEAR_MEAN]],
        "p_selected": [(age, window) for age in AGES for window in WINDOWS],
    }[quantity]


def spread(items, start):
    """All items, from the given start, with neighbours far apart in the list."""
    stride = round(len(items) * 0.618)
    while gcd(stride, len(items)) != 1:
        stride += 1
    return [items[(start + k * stride) % len(items)] for k in range(len(items))]


def agree(values):
    first, second = values
    return abs(first - second) <= AGREE * abs(first)


def note(kind, quantity, model, params, columns, detail=""):
    print(f"{kind}: {model} {quantity} {params} {columns} {detail}", file=sys.stderr)


def rows_for(quantity, model, index, left_out):
    """Rows for one parameter set, up to its quota."""
    params = SETS[model][index]
    quota = QUOTAS[quantity][1 if index == 0 else 0]
    every = cases(quantity)
    start = (index * len(every) * 4) // 11 + list(SETS).index(model)
    found = 0
    for case in spread(every, start):
        if found == quota:
            return
        result = compute(quantity, model, params, case)
        if result is None:
            continue
        columns, values = result
        if abs(values[0]) < SMALLEST.get(quantity, 0):
            left_out["too small"] += 1
        elif not agree(values):
            left_out["disagree"] += 1
            note("the two ways disagree", quantity, model, params, columns, mp.nstr(values, 30))
        else:
            found += 1
            yield [model, quantity, *map(repr, params), *map(repr, columns), mp.nstr(values[0], 25)]
    if found < quota:
        note("short of rows", quantity, model, params, (), f"{found} of {quota}")


def main():
    started = time.time()
    check_published()
    check_counts()
    out = csv.writer(sys.stdout, lineterminator="\n")
    out.writerow("model,quantity,p1,p2,p3,p4,x,t_x,T,t,n,value".split(","))
    written, spent, left_out = Counter(), Counter(), Counter()
    for model in SETS:
        for quantity in QUOTAS:
            begun = time.time()
            for index in range(len(SETS[model])):
                for row in rows_for(quantity, model, index, left_out):
                    out.writerow(row)
                    written[model, quantity] += 1
            spent[model, quantity] = time.time() - begun
            seconds = f"{spent[model, quantity]:.0f} s"
            print(model, quantity, written[model, quantity], seconds, file=sys.stderr)
    print(sum(written.values()), "rows; left out:", dict(left_out), file=sys.stderr)
    print(f"{time.time() - started:.0f} s in all", file=sys.stderr)


if __name__ == "__main__":
    main()
