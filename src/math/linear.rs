//! Small dense linear algebra for observed information matrices.

/// Matrix of second derivatives by central differences of an analytic gradient.
///
/// # Formula
/// Hᵢⱼ = (gⱼ(θ + h eᵢ) − gⱼ(θ − h eᵢ)) / 2h, then (H + Hᵀ)/2, with h = 1e-4. Callers differentiate
/// on the log scale, so h is a relative step; the truncation error is of the order h² = 1e-8.
pub fn hessian_from_gradient(gradient: impl Fn(&[f64]) -> Vec<f64>, at: &[f64]) -> Vec<Vec<f64>> {
    const STEP: f64 = 1e-4;
    let shifted = |i: usize, by: f64| {
        let mut point = at.to_vec();
        point[i] += by;
        gradient(&point)
    };
    let rows: Vec<Vec<f64>> = (0..at.len())
        .map(|i| {
            let (up, down) = (shifted(i, STEP), shifted(i, -STEP));
            up.iter().zip(&down).map(|(u, d)| (u - d) / (2.0 * STEP)).collect()
        })
        .collect();
    (0..at.len())
        .map(|i| (0..at.len()).map(|j| (rows[i][j] + rows[j][i]) / 2.0).collect())
        .collect()
}

/// Inverse of a symmetric positive definite matrix by its Cholesky factor.
///
/// Returns `None` when the matrix is not positive definite to working precision.
///
/// # Reference
/// Golub & Van Loan (2013), Matrix Computations, 4th edition, algorithm 4.2.1.
pub fn invert_positive_definite(matrix: &[Vec<f64>]) -> Option<Vec<Vec<f64>>> {
    let factor = cholesky(matrix)?;
    let n = matrix.len();
    let columns: Vec<Vec<f64>> = (0..n).map(|i| solve_unit_vector(&factor, i)).collect();
    Some((0..n).map(|i| (0..n).map(|j| columns[j][i]).collect()).collect())
}

/// The lower triangular Cholesky factor of a symmetric positive definite matrix.
///
/// Returns `None` when the matrix is not positive definite to working precision.
///
/// # Formula
/// A = L Lᵀ
pub fn cholesky(matrix: &[Vec<f64>]) -> Option<Vec<Vec<f64>>> {
    let n = matrix.len();
    let mut factor = vec![vec![0.0; n]; n];
    for i in 0..n {
        for j in 0..=i {
            let dot: f64 = (0..j).map(|k| factor[i][k] * factor[j][k]).sum();
            let rest = matrix[i][j] - dot;
            if i != j {
                factor[i][j] = rest / factor[j][j];
            } else if rest > f64::EPSILON * matrix[i][i].abs() {
                factor[i][i] = rest.sqrt();
            } else {
                return None;
            }
        }
    }
    Some(factor)
}

/// The smallest eigenvalue of a symmetric positive definite matrix A and its unit eigenvector, from
/// the inverse of A (inverse iteration). The vector's largest component is positive.
///
/// # Formula
/// v ← A⁻¹v / ‖A⁻¹v‖ until v no longer changes; λ = 1 / vᵀA⁻¹v.
///
/// # Reference
/// Golub & Van Loan (2013), section 8.2.2.
pub fn smallest_eigenpair(inverse: &[Vec<f64>]) -> (f64, Vec<f64>) {
    const MOST_STEPS: u32 = 1_000;
    let times = |m: &[Vec<f64>], v: &[f64]| -> Vec<f64> {
        m.iter().map(|row| row.iter().zip(v).map(|(a, b)| a * b).sum()).collect()
    };
    // Equal components could be orthogonal to the eigenvector that is looked for.
    let mut vector: Vec<f64> = (0..inverse.len()).map(|i| 1.0 + 0.1 * i as f64).collect();
    for _ in 0..MOST_STEPS {
        let next = times(inverse, &vector);
        let largest = next.iter().copied().max_by(|a, b| a.abs().total_cmp(&b.abs()));
        let norm =
            next.iter().map(|c| c * c).sum::<f64>().sqrt() * largest.map_or(1.0, f64::signum);
        let next: Vec<f64> = next.iter().map(|c| c / norm).collect();
        let moved = next.iter().zip(&vector).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        vector = next;
        if moved < 1e-12 {
            break;
        }
    }
    let of_inverse: f64 = times(inverse, &vector).iter().zip(&vector).map(|(a, b)| a * b).sum();
    (1.0 / of_inverse, vector)
}

/// Solves L Lᵀ x = e for a unit vector e, forwards with L and backwards with Lᵀ.
fn solve_unit_vector(factor: &[Vec<f64>], unit: usize) -> Vec<f64> {
    let n = factor.len();
    let mut x = vec![0.0; n];
    for i in 0..n {
        let dot: f64 = (0..i).map(|k| factor[i][k] * x[k]).sum();
        x[i] = (f64::from(u8::from(i == unit)) - dot) / factor[i][i];
    }
    for i in (0..n).rev() {
        let dot: f64 = (i + 1..n).map(|k| factor[k][i] * x[k]).sum();
        x[i] = (x[i] - dot) / factor[i][i];
    }
    x
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inverse_times_matrix_is_the_identity() {
        let matrix = vec![vec![4.0, 2.0, 0.6], vec![2.0, 3.0, 0.4], vec![0.6, 0.4, 1.0]];
        let inverse = invert_positive_definite(&matrix).expect("positive definite");
        for (i, row) in matrix.iter().enumerate() {
            for j in 0..row.len() {
                let product: f64 = row.iter().zip(&inverse).map(|(m, column)| m * column[j]).sum();
                assert!((product - f64::from(u8::from(i == j))).abs() < 1e-14);
            }
        }
    }

    #[test]
    fn a_flat_direction_has_no_inverse() {
        assert_eq!(invert_positive_definite(&[vec![1.0, 1.0], vec![1.0, 1.0]]), None);
    }

    #[test]
    fn eigenvalues_of_a_known_matrix() {
        // [[2, 1], [1, 2]]: 1 along (1, −1)/√2 and 3 along (1, 1)/√2.
        let matrix = [vec![2.0, 1.0], vec![1.0, 2.0]];
        let inverse = invert_positive_definite(&matrix).expect("positive definite");
        let (smallest, vector) = smallest_eigenpair(&inverse);
        assert!((smallest - 1.0).abs() < 1e-12);
        assert!((vector[0] + vector[1]).abs() < 1e-9);
        let (inverse_of_largest, _) = smallest_eigenpair(&matrix);
        assert!((inverse_of_largest - 1.0 / 3.0).abs() < 1e-12);
    }

    #[test]
    fn hessian_of_a_known_function() {
        // f = x²y + y³ at (1, 2): f_xx = 2y = 4, f_xy = 2x = 2, f_yy = 6y = 12.
        let gradient = |p: &[f64]| vec![2.0 * p[0] * p[1], p[0] * p[0] + 3.0 * p[1] * p[1]];
        let hessian = hessian_from_gradient(gradient, &[1.0, 2.0]);
        for (row, expected) in hessian.iter().flatten().zip([4.0, 2.0, 2.0, 12.0]) {
            assert!((row - expected).abs() < 1e-6);
        }
    }
}
