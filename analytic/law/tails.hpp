// Where the first order in 1/n ends because of large values: which moments of a network's kernel exist.
#pragma once

#include <functional>
#include <limits>
#include <optional>
#include <string>

#include "nngpcheck/analytic/columns/structure.hpp"
#include "nngpcheck/netsor/activation.hpp"

namespace nngpcheck::analytic {

/// How a function grows, from its values at some large arguments and close to its breakpoints.
struct Growth {
  static constexpr double exponential = std::numeric_limits<double>::infinity();
  double degree = 0;  // |φ(x)| ~ |x|^degree; faster than powers: `exponential`
  double rate = 0;    // log|φ(x)| ~ rate·x², where it is exponential; ∞ if it is faster
  double pole = 0;    // |φ(b + h)| ~ |h|^-pole at the worst breakpoint b
};
Growth growth(const netsor::Activation& phi);

struct Tails {
  /// Why the variance of an average is infinite, and C with it; else "".
  std::string infinite;
  /// Why no K̂ of finite width has a second moment, though C is finite and the law holds in distribution:
  /// medians and quantiles, but no mean squares; else "".
  std::string heavy;
};

/// C needs E φ(u)⁴ of u ~ N(μ, v): a rate below 1/(8v), a pole below 1/4. A Gaussian column of a finite
/// network is z √S, S a mean of squares; with coordinates of degree d in the columns before, whose own S has
/// degree s, it has degree d(2 + s) in normals. E exp(c z √S) needs E exp(c² S/2), which exists for S of
/// degree ≤ 2 and n large enough, and for no n beyond. Whatever reads tables, such as a norm's, is taken to
/// be tame. `variance`: the largest of a bundle's columns, where it is known.
Tails tails(const Structure& structure, const std::function<std::optional<double>(NodeIndex)>& variance);

}  // namespace nngpcheck::analytic
