// The Gaussian smoothing of an activation, m ↦ E[φ(m + s z)] for z ~ N(0, 1), by formula.
#pragma once

#include "netsor/activation.hpp"

namespace nngpcheck::analytic {

/// Whether `smoothed` knows φ: every named activation but those given as expressions, and no custom one.
bool has_smoothed(const netsor::Activation& phi);

/// E[φ(m + s z)], s ≥ 0; φ(m) for s = 0. May overflow to infinity where the expectation does.
///
/// Logistic functions use that the logistic law is a scale mixture of normals (Andrews & Mallows 1974):
///   sigmoid(x) = E Φ(x/λ), λ = 2K with K of Kolmogorov's law, P(K ≤ x) = 1 - 2 Σ_j (-1)^{j-1} e^{-2j²x²},
/// so that E sigmoid(m + s z) = E Φ(m/√(λ² + s²)): a smooth integral over λ, done by the trapezoidal rule in
/// log λ, which converges exponentially.
double smoothed(const netsor::Activation& phi, double m, double s);

}  // namespace nngpcheck::analytic
