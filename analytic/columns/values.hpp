// The numbers that have been found so far.
#pragma once

#include <Eigen/Core>
#include <utility>

#include "nngpcheck/analytic/columns/demand.hpp"
#include "nngpcheck/analytic/columns/linear_form.hpp"
#include "nngpcheck/analytic/uncertain.hpp"

namespace nngpcheck::analytic {

/// One column of a bundle.
using Column = std::pair<NodeIndex, Eigen::Index>;

/// The values of demands, on top of others that are the same in every randomization.
class Values {
 public:
  /// `base` is where a demand is looked up that has no value here; null: nowhere. It must outlive this
  /// object.
  explicit Values(const Structure& structure, const Values* base = nullptr);

  Values(const Values&) = delete;
  Values& operator=(const Values&) = delete;

  void set(const Demand& demand, UncertainMatrix value) {
    values_.insert_or_assign(demand, std::move(value));
  }
  /// Moves a value out, which is none from here on; 0×0 if there was none here.
  UncertainMatrix take(const Demand& demand) {
    auto node = values_.extract(demand);
    return node ? std::move(node.mapped()) : UncertainMatrix{};
  }

  /// The entries of a demand that has been met, as its pattern stores them; means are m×1.
  const UncertainMatrix& operator[](const Demand& demand) const;

  /// E[XᵀY] with the rows of X, whichever of the two comes first.
  UncertainMatrix moment(NodeIndex x, NodeIndex y) const;
  UncertainMatrix covariance(NodeIndex x, NodeIndex y) const;

  /// The diagonal, m×1, of a demand that may have more entries.
  UncertainMatrix diagonal(const Demand& source) const;

  /// These rows and columns of a quantity that is asked for there.
  UncertainMatrix part(const Demand& source, const std::vector<Eigen::Index>& rows,
                       const std::vector<Eigen::Index>& columns) const;

  /// One entry of E[XᵀY]; with y = one, of E[X].
  double moment_entry(NodeIndex x, Eigen::Index i, NodeIndex y, Eigen::Index j) const;

  /// One entry of the covariance of two columns of Gaussian bundles.
  double covariance_entry(const Column& u, const Column& v) const;

  const LinearForm& form(NodeIndex node) { return forms_.of(node); }
  LinearForms& forms() { return forms_; }

  const Structure& structure() const { return structure_; }

 private:
  const Structure& structure_;
  const Values* base_;
  LinearForms forms_;
  DemandMap<UncertainMatrix> values_;
};

}  // namespace nngpcheck::analytic
