#include "analytic/paths.hpp"

#include <algorithm>
#include <set>

#include "analytic/error.hpp"
#include "analytic/evaluation.hpp"
#include "analytic/leaf_columns.hpp"
#include "analytic/seed.hpp"

namespace nngpcheck::analytic {

namespace {

using Eigen::Index;
using Eigen::MatrixXd;

constexpr int log2_block = 12;  // paths whose arrays stay in a core's cache

}  // namespace

Paths::Points::Points(int dimension, int log2_points, std::uint64_t seed)
    : sobol(dimension, log2_points, seed) {
  const Index count = Index{1} << std::min(log2_points, log2_block);
  for (Index first = 0; first < sobol.points(); first += count) blocks.emplace_back(sobol, first, count);
}

Paths::Paths(Evaluation& values, int system, const PrincipalAxes* axes, int log2_points, std::uint64_t seed)
    : values_(values), system_(system), log2_points_(log2_points), seed_(seed), draws_(values, axes) {}

void Paths::release() {
  blocks_.clear();
  common_.reset();
  local_.reset();
}

void Paths::sample(NodeIndex leaf) {
  const Plan& plan = values_.plan();
  const Structure& structure = values_.structure();
  if (!common_) {
    Index dimension = 0;
    for (const NodeIndex l : plan.leaves) {
      if (subset(structure.families(l), plan.systems.at(system_))) dimension += structure.columns(l);
    }
    if (dimension > ScrambledSobol::largest_dimension) {
      throw LimitError("rule 5: the paths need " + std::to_string(dimension) +
                       " Gaussian columns at once but the Sobol sequence has " +
                       std::to_string(ScrambledSobol::largest_dimension) +
                       " coordinates; use fewer inputs, or compute the kernel in blocks of outputs");
    }
    common_ = std::make_unique<Points>(static_cast<int>(dimension), log2_points_, seed_of_part(seed_, 0));
    for (BlockNormals& normals : common_->blocks) {
      blocks_.emplace_back(values_, plan.systems.at(system_), normals);
    }
  }
  for (Index j = 0; j < structure.columns(leaf); ++j) {
    const Draw& draw = draws_.append({leaf, j});
    for (PathBlock& block : blocks_) block.draw(draw);
    values_.progress().check();
  }
}

Averages Paths::average(NodeIndex x, NodeIndex y) {
  Averages sum = block_sums(blocks_.front(), x, y);
  for (std::size_t b = 1; b < blocks_.size(); ++b) {
    values_.progress().check();
    const Averages more = block_sums(blocks_[b], x, y);
    sum.value += more.value;
    sum.magnitude += more.magnitude;
  }
  const auto count = static_cast<double>(points());
  return {sum.value / count, sum.magnitude / count};
}

// Wide pairs of known bundles go through one matrix product.
Averages Paths::block_sums(PathBlock& block, NodeIndex x, NodeIndex y) const {
  const Structure& structure = values_.structure();
  const Index rows = structure.columns(x);
  const Index columns = y == one ? 1 : structure.columns(y);
  if (y != one && rows * columns > 64 && block.known(x) && block.known(y)) {
    const auto gather = [&](NodeIndex node) {
      MatrixXd result(block.value(node, 0).size(), structure.columns(node));
      for (Index j = 0; j < result.cols(); ++j) result.col(j) = block.value(node, j);
      return result;
    };
    const MatrixXd left = gather(x);
    const Eigen::VectorXd norms = left.colwise().norm();  // Σ |x y| ≤ |x| |y|
    if (x != y) {
      const MatrixXd right = gather(y);
      return {left.transpose() * right, norms * right.colwise().norm()};
    }
    MatrixXd result = MatrixXd::Zero(rows, rows);
    result.selfadjointView<Eigen::Lower>().rankUpdate(left.transpose());
    return {result.selfadjointView<Eigen::Lower>(), norms * norms.transpose()};
  }
  Averages result{MatrixXd(rows, columns), MatrixXd(rows, columns)};
  for (Index i = 0; i < rows; ++i) {
    for (Index j = 0; j < columns; ++j) {
      const PathBlock::Sum sum = x == y && j < i ? PathBlock::Sum{result.value(j, i), result.magnitude(j, i)}
                                                 : block.sum(x, i, y, j);
      result.value(i, j) = sum.value;
      result.magnitude(i, j) = sum.magnitude;
    }
  }
  return result;
}

Averages Paths::average_locally(NodeIndex x, NodeIndex y) {
  const Structure& structure = values_.structure();
  const Families& sampled = values_.plan().systems.at(system_);
  if (!local_) {
    const auto dimension = static_cast<int>(values_.plan().local_columns.at(system_));
    local_ = std::make_unique<Points>(dimension, log2_points_, seed_of_part(seed_, 1));
  }
  LeafColumns leaf_columns(structure, sampled);
  const Index rows = structure.columns(x);
  const Index columns = y == one ? 1 : structure.columns(y);
  Averages result{MatrixXd(rows, columns), MatrixXd(rows, columns)};
  for (Index i = 0; i < rows; ++i) {
    for (Index j = 0; j < columns; ++j) {
      if (x == y && j < i) {
        result.value(i, j) = result.value(j, i);
        result.magnitude(i, j) = result.magnitude(j, i);
        continue;
      }
      values_.progress().check();
      std::set<Column> needed = leaf_columns.of({x, i});
      if (y != one) needed.merge(std::set<Column>(leaf_columns.of({y, j})));
      ConditionalDraws draws(values_, nullptr);
      std::vector<Draw> drawn;
      for (const Column& column : needed) drawn.push_back(draws.append(column));
      PathBlock::Sum sum;
      for (BlockNormals& normals : local_->blocks) {
        PathBlock block(values_, sampled, normals);
        for (const Draw& draw : drawn) block.draw(draw);
        const PathBlock::Sum more = block.sum(x, i, y, j);
        sum.value += more.value;
        sum.magnitude += more.magnitude;
      }
      result.value(i, j) = sum.value / static_cast<double>(points());
      result.magnitude(i, j) = sum.magnitude / static_cast<double>(points());
    }
  }
  return result;
}

}  // namespace nngpcheck::analytic
