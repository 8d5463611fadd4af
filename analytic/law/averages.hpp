// The averages over a network's coordinates that its kernel is a function of.
#pragma once

#include <Eigen/Core>
#include <set>
#include <vector>

#include "nngpcheck/analytic/columns/changes.hpp"
#include "nngpcheck/analytic/evaluation/plan.hpp"

namespace nngpcheck::analytic {

/// θ = (1/n) Σ_a ψ(coordinate a): ψ = x_i y_j, or x_i for a mean. Its limit E ψ is what a plan's demand is.
struct Average {
  Demand demand;
  netsor::Width width;         // which coordinates
  Eigen::Index rows, columns;  // of X and of Y
  Eigen::Index first = 0;      // of its entries among those of all averages
  struct Entry {
    Eigen::Index i, j, place;  // place: in the memory of the demand's value
    Eigen::Index mirrored;     // of entry (j, i), where the quantity is symmetric; else place
  };
  std::vector<Entry> entries;  // of a symmetric quantity those with i ≥ j

  Eigen::Index size() const { return std::ssize(entries); }

  /// Its entries (rows) of all entries of the quantity, in a batch of directions, and the other way round.
  Eigen::MatrixXd gather(const Directions& all) const;
  Directions spread(const Eigen::Ref<const Eigen::MatrixXd>& entries_of_this) const;
};

/// A random network enters the limit's equations at three places: the Gram of a weight's arguments, the
/// tables `gram` and `mean`, and the output's Gram. There averages over n coordinates stand where the limit
/// has expectations; everything else is an exact function of them.
class Averages {
 public:
  /// All those of a plan, in its order; `outputs`: moments that are averages too.
  Averages(const Structure& structure, const Plan& plan, const std::vector<Demand>& outputs);

  const std::vector<Average>& all() const { return all_; }
  const Average* find(const Demand& demand) const;
  Eigen::Index size() const { return size_; }  // number of entries

  /// Whether a step reads averages, where the limit has expectations.
  static bool reads_averages(const Step& step) {
    return step.demand().kind == Demand::Kind::covariance || step.demand().kind == Demand::Kind::table;
  }

  /// The Gaussian bundles that one coordinate of all these averages is a function of, ascending.
  const std::set<NodeIndex>& leaves() const { return leaves_; }

  /// What must be known to draw that coordinate: the leaves' joint law, and tables. A plan may lack some of
  /// it, until these are goals.
  const std::set<Demand>& needed_to_draw() const { return needed_to_draw_; }

 private:
  void add(const Structure& structure, const Demand& demand);
  void find_coordinates(const Structure& structure);

  std::vector<Average> all_;
  DemandMap<std::size_t> position_;
  Eigen::Index size_ = 0;
  std::set<Demand> needed_to_draw_;
  std::set<NodeIndex> leaves_;
};

}  // namespace nngpcheck::analytic
