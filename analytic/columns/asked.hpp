// Which entries of E[XᵀX] and cov(X, X) the limit needs.
#pragma once

#include <optional>
#include <vector>

#include "nngpcheck/analytic/columns/demand.hpp"
#include "nngpcheck/analytic/columns/structure.hpp"

namespace nngpcheck::analytic {

/// Goes back from the goals through the program, in classes of columns: a pair of columns is needed if they
/// are in one class. `flatten` needs equal positions, and so does a convolution where that is all that is
/// needed of it, as it moves both alike; an average over positions needs all pairs. Classes are found where
/// the way back is known exactly: through Gaussian bundles whose sources are uses of different weights,
/// functions φ(X) of one Gaussian bundle, and combinations of one atom. All pairs are needed of everything
/// else, in programs with tables, and where classes save less than half.
class Asked {
 public:
  /// `by_formula`: φ(X) are not sampled.
  Asked(const Structure& structure, const std::vector<Demand>& goals, bool by_formula);

  Pattern operator()(NodeIndex bundle) const { return patterns_[bundle].value_or(Pattern::full()); }

  /// Whether the way back came to this bundle.
  bool reached(NodeIndex bundle) const { return patterns_[bundle].has_value(); }

 private:
  std::vector<std::optional<Pattern>> patterns_;  // per instruction
};

}  // namespace nngpcheck::analytic
