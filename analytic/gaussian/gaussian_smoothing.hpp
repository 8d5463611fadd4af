// The Gaussian smoothing of an activation, m ↦ E[φ(m + s z)] for z ~ N(0, 1), by formula.
#pragma once

#include "nngpcheck/analytic/uncertain.hpp"
#include "nngpcheck/netsor/activation.hpp"

namespace nngpcheck::analytic {

/// Whether `smoothed` knows φ: every named activation but those given as expressions, and no custom one.
bool has_smoothed(const netsor::Activation& phi);

/// E[φ(m + s z)], s ≥ 0; φ(m) for s = 0, with a bound on the rounding of the formula. May overflow to
/// infinity where the expectation does. In the far left tail of softplus and of rectified powers the terms
/// cancel, and the bound exceeds the value: quadrature is better there.
///
/// Logistic functions use that the logistic law is a scale mixture of normals (Andrews & Mallows 1974):
///   sigmoid(x) = E Φ(x/λ), λ = 2K with K of Kolmogorov's law, P(K ≤ x) = 1 - 2 Σ_j (-1)^{j-1} e^{-2j²x²},
/// so that E sigmoid(m + s z) = E Φ(m/√(λ² + s²)): a smooth integral over λ, done by the trapezoidal rule in
/// log λ, which converges exponentially. Where m < -s²/2 this would be the tail of the mixture, and the law
/// is tilted first: E[sigmoid(m + s z)] = e^{m + s²/2} E[sigmoid(-(m + s²) + s z)]. silu is the same times x.
Estimate smoothed(const netsor::Activation& phi, double m, double s);

}  // namespace nngpcheck::analytic
