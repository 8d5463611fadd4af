#include "nngpcheck/architectures/layers/coordinate_softmax.hpp"

namespace nngpcheck::architectures {

using Eigen::Index;

Pairs::Pairs(const Eigen::MatrixXd& mask) : of_query(static_cast<std::size_t>(mask.cols())) {
  for (Index q = 0; q < mask.cols(); ++q) {
    for (Index k = 0; k < mask.rows(); ++k) {
      if (mask(k, q) == 0) continue;
      of_query[static_cast<std::size_t>(q)].push_back(std::ssize(keys));
      keys.push_back(k);
      queries.push_back(q);
    }
  }
}

netsor::SparseMatrix Pairs::sum() const {
  netsor::SparseMatrix result(count(), std::ssize(of_query));
  for (Index p = 0; p < count(); ++p) result.insert(p, queries[static_cast<std::size_t>(p)]) = 1;
  return result;
}

netsor::BundleId softmax(netsor::Builder& builder, netsor::BundleId scores, const Pairs& pairs) {
  // As 1/Σ_j exp(s_j - s_p), whose sum is at least 1.
  std::vector<Eigen::Triplet<double>> differences, sums;
  Index column = 0;
  for (const std::vector<Index>& of : pairs.of_query) {
    for (const Index p : of) {
      for (const Index j : of) {
        if (j != p) {
          differences.emplace_back(j, column, 1.0);
          differences.emplace_back(p, column, -1.0);
        }
        sums.emplace_back(column++, p, 1.0);
      }
    }
  }
  netsor::SparseMatrix difference(pairs.count(), column), sum(column, pairs.count());
  difference.setFromTriplets(differences.begin(), differences.end());
  sum.setFromTriplets(sums.begin(), sums.end());
  const netsor::BundleId exponentials =
      builder.map(netsor::Activation::named("exp"), builder.mix(scores, std::move(difference)));
  return builder.map(netsor::Activation::from_expression("1/max(x, 1)", "reciprocal"),
                     builder.mix(exponentials, std::move(sum)));
}

}  // namespace nngpcheck::architectures
