// Gaussian expectations of activations: rules 2 and 3 of the limit.
#pragma once

#include <Eigen/Core>
#include <cstdint>
#include <functional>

#include "nngpcheck/analytic/uncertain.hpp"
#include "nngpcheck/netsor/activation.hpp"

namespace nngpcheck::analytic {

/// The joint normal law of (u, v).
struct BivariateNormal {
  double variance_u = 0;
  double variance_v = 0;
  double covariance = 0;
  double mean_u = 0;
  double mean_v = 0;
};

/// E[φ(u)] for u ~ N(mean, variance). Errors as `dual`.
Estimate mean(const netsor::Activation& phi, double mean, double variance);

/// E[φ(u) ψ(v)], the dual kernel of φ (cross dual of φ and ψ) at that law. The bound covers the method's
/// error and rounding (docs/theory.md, "Error bars"); of an activation that may have kinks nobody knows of
/// (Activation::breakpoints) it is an estimate. Covers every law: zero variances, correlation ±1, tiny and
/// huge variances. Throws LimitError if the law is not one (negative variance, |covariance| > √(variance_u
/// variance_v) by more than rounding, NaN), if a variance underflows, if the expectation is not finite
/// (overflow), or if it takes more work than is allowed.
Estimate dual(const netsor::Activation& phi, const netsor::Activation& psi, const BivariateNormal& law);

/// How a block of dual kernels was computed.
enum class DualMethod { closed_form, series, quadrature };

/// The law of m jointly Gaussian columns, without their correlations: vectors of length m.
struct Marginals {
  UncertainVector mean;
  UncertainVector variance;
};

struct DualBlock {
  UncertainMatrix moment;
  DualMethod method;         // the most expensive one that any entry needed
  std::int64_t evaluations;  // number of entries × points or terms per entry, roughly the cost
};

enum class Symmetry { none, symmetric };

using Checkpoint = std::function<void()>;
class Buffers;
class HermiteTables;

/// E[φ(u_i) ψ(v_j)] for all i, j: u has marginals `rows`, v has `columns`, and cov(u_i, v_j) is
/// `covariance`(i, j). With Symmetry::symmetric, φ = ψ and u = v; only the lower triangle of `covariance` is
/// read, and the result is exactly symmetric.
/// The bound covers the method's error, rounding, and the propagated bounds of the arguments (to first
/// order, over the worst signs, within what a covariance can be).
/// Throws LimitError as `dual`, naming the entry. `checkpoint` is called many times a second, by each of the
/// threads, and may throw to end the computation. The result does not depend on the threads, nor on `tables`,
/// where many blocks of the same columns keep what they need of them, and `buffers`, whose memory it may
/// take.
DualBlock dual_block(const netsor::Activation& phi, const netsor::Activation& psi, const Marginals& rows,
                     const Marginals& columns, const UncertainMatrix& covariance, Symmetry symmetry,
                     const Checkpoint& checkpoint = {}, std::size_t threads = 1,
                     HermiteTables* tables = nullptr, Buffers* buffers = nullptr);

/// E[φ(u_i)²] for all i, as m×1: the diagonal of a symmetric block, in a time that grows with m alone. The
/// numbers do not depend on what other columns there are.
DualBlock second_moments(const netsor::Activation& phi, const Marginals& columns,
                         const Checkpoint& checkpoint = {}, HermiteTables* tables = nullptr);

/// E[φ(u_i)] for all i, bounds, errors and checkpoint as `dual_block`.
UncertainVector mean_block(const netsor::Activation& phi, const Marginals& columns,
                           const Checkpoint& checkpoint = {});

}  // namespace nngpcheck::analytic
