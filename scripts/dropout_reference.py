"""Fifty-digit values for src/math/dropout.rs. Needs mpmath.
Usage: python3 scripts/dropout_reference.py > src/math/dropout_reference.in"""
from mpmath import beta, exp, expm1, log, log1p, mp, mpf, quad, sqrt

mp.dps = 50
CASES = [  # s, a, b, tau
    ("0.2425945", "0.7929199", "2.4258881", "8.836313"),  # CDNOW, x = 0, 39 weeks from T = 0
    ("2.2425945", "0.7929199", "4.4258881", "0.9012"),
    ("26.2426", "0.7929199", "28.4259", "1.4684"),
    ("0.11", "0.31", "0.50", "9.2593"),  # a + b < 1: must stay finite
    ("3.5", "1", "7", "0.8"),  # the removable singularity
    ("3.5", "1.0000000001", "7", "0.8"),
    ("5.6", "4.906", "45.4", "0.5"),
    ("205.6", "4.906", "242.4", "0.03"),
    ("1.5", "0.001", "0.01", "3"),
    ("0.6", "0.5", "40000", "12"),  # homogeneous dropout: b large
    ("3.6", "400", "40000", "2"),
    ("2.2", "0.8", "3", "5000"),  # a very long horizon
    ("2.2", "6", "3", "5000"),
    ("12.2", "0.3", "0.02", "40"),
]


def expected(s, a, b, tau):
    """The integral over u = logit(p), where the density p^a (1-p)^b / B(a, b) du is smooth."""
    centre, width = log(a / b), sqrt(1 / a + 1 / b)
    reach = 12 * width + 130 * (1 / a + 1 / b)  # leaves e^-130 of the mass in either tail
    near = [centre + width * k / 2 for k in range(-24, 25)]
    far = [centre + sign * (12 * width + (reach - 12 * width) * mpf(2) ** -k) for sign in (-1, 1) for k in range(9)]

    def integrand(u):
        p, q = 1 / (1 + exp(-u)), 1 / (1 + exp(u))
        return p**a * q**b * -expm1(-s * log1p(p * tau)) / p

    return quad(integrand, sorted(near + far)) / beta(a, b)


print("[")
for case in CASES:
    numbers = [mpf(c) for c in case]
    print("    (" + ", ".join(f"{float(n)!r}" for n in numbers) + f", {float(expected(*numbers))!r}),")
print("]")
