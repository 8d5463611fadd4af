// First-order changes of the limit's quantities.
#pragma once

#include <Eigen/Core>

#include "nngpcheck/analytic/columns/demand.hpp"

namespace nngpcheck::analytic {

/// A batch of directions of one quantity: entry (k, b) is the change of its k-th entry, in the order of its
/// pattern, in direction b.
using Directions = Eigen::MatrixXd;

/// The same batch of directions for many quantities. What is not set does not change.
class Changes {
 public:
  explicit Changes(Eigen::Index directions) : directions_(directions) {}

  Eigen::Index directions() const { return directions_; }

  void set(const Demand& demand, Directions change) { changes_.insert_or_assign(demand, std::move(change)); }
  void erase(const Demand& demand) { changes_.erase(demand); }

  /// Null: unchanged.
  const Directions* find(const Demand& demand) const {
    const auto found = changes_.find(demand);
    return found == changes_.end() ? nullptr : &found->second;
  }

  /// The change in one direction of a quantity that is stored with so many rows; 0×0 if there is none.
  Eigen::MatrixXd matrix(const Demand& demand, Eigen::Index direction, Eigen::Index rows) const {
    const Directions* found = find(demand);
    if (!found) return {};
    return found->col(direction).reshaped(rows, found->rows() / rows);
  }

 private:
  Eigen::Index directions_;
  DemandMap<Directions> changes_;
};

}  // namespace nngpcheck::analytic
