#include "nngpcheck/analytic/paths/paths.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "nngpcheck/analytic/columns/leaf_columns.hpp"
#include "nngpcheck/analytic/error.hpp"
#include "nngpcheck/analytic/seed.hpp"

namespace nngpcheck::analytic {

namespace {

using Eigen::ArrayXd;
using Eigen::Index;
using Eigen::MatrixXd;

constexpr int log2_block = 12;  // paths whose arrays stay in a core's cache

// The score on each path of a block.
ArrayXd values_of(const Score& score, BlockNormals& normals) {
  std::vector<ArrayXd> z;
  for (const auto& combination : score.normals) {
    ArrayXd sum = ArrayXd::Zero(normals.count());
    for (const auto& [coordinate, weight] : combination) sum += weight * normals[coordinate];
    z.push_back(std::move(sum));
  }
  ArrayXd result = ArrayXd::Constant(normals.count(), -score.stretch.trace());
  for (std::size_t j = 0; j < z.size(); ++j) {
    const auto row = static_cast<Index>(j);
    ArrayXd moved = ArrayXd::Constant(normals.count(), score.shift[row]);
    for (std::size_t k = 0; k < z.size(); ++k) moved += score.stretch(row, static_cast<Index>(k)) * z[k];
    result += z[j] * moved;
  }
  return result;
}

}  // namespace

Paths::Points::Points(int dimension, int log2_points, std::uint64_t seed)
    : sobol(dimension, log2_points, seed) {
  const Index count = Index{1} << std::min(log2_points, log2_block);
  for (Index first = 0; first < sobol.points(); first += count) blocks.emplace_back(sobol, first, count);
}

Paths::Paths(Values& values, const PathSystems& systems, int system, const PrincipalAxes* axes,
             int log2_points, std::uint64_t seed, const Progress& progress)
    : values_(values),
      systems_(systems),
      system_(system),
      log2_points_(log2_points),
      seed_(seed),
      progress_(progress),
      forms_(values.structure(), systems.families.at(system)),
      draws_(values, axes) {}

void Paths::release() {
  blocks_.clear();
  common_.reset();
  local_.reset();
}

void Paths::sample(NodeIndex leaf) {
  const Structure& structure = values_.structure();
  if (!common_) {
    Index dimension = 0;
    for (const NodeIndex l : systems_.leaves) {
      if (subset(structure.families(l), forms_.sampled())) dimension += structure.columns(l);
    }
    if (dimension > ScrambledSobol::largest_dimension) {
      throw LimitError("rule 5: the paths need " + std::to_string(dimension) +
                       " Gaussian columns at once but the Sobol sequence has " +
                       std::to_string(ScrambledSobol::largest_dimension) +
                       " coordinates; use fewer inputs, or compute the kernel in blocks of outputs");
    }
    common_ = std::make_unique<Points>(static_cast<int>(dimension), log2_points_, seed_of_part(seed_, 0));
    for (BlockNormals& normals : common_->blocks) blocks_.emplace_back(values_, forms_, normals);
  }
  std::map<std::pair<double, std::vector<std::pair<int, double>>>, Column> distinct;
  for (Index j = 0; j < structure.columns(leaf); ++j) {
    drawn_.push_back(draws_.append({leaf, j}));
    const Draw& draw = drawn_.back();
    const auto [equal, is_new] = distinct.try_emplace({draw.mean, draw.weights}, draw.column);
    for (PathBlock& block : blocks_) is_new ? block.draw(draw) : block.draw(draw.column, equal->second);
    progress_.check();
  }
}

PathAverage Paths::average(NodeIndex x, NodeIndex y) {
  PathAverage sum = block_sums(blocks_.front(), x, y);
  for (std::size_t b = 1; b < blocks_.size(); ++b) {
    progress_.check();
    const PathAverage more = block_sums(blocks_[b], x, y);
    sum.value += more.value;
    sum.size += more.size;
  }
  const auto count = static_cast<double>(points());
  return {sum.value / count, sum.size / count};
}

Paths::Shape Paths::shape(NodeIndex x, NodeIndex y) const {
  return {values_.structure().columns(x), y == one ? 1 : values_.structure().columns(y), x == y};
}

// Wide pairs of known bundles go through one matrix product; Cauchy-Schwarz bounds the absolute values.
PathAverage Paths::block_sums(PathBlock& block, NodeIndex x, NodeIndex y) const {
  const auto [rows, columns, symmetric] = shape(x, y);
  if (y != one && rows * columns > 64 && block.known(x) && block.known(y)) {
    const auto gather = [&](NodeIndex node) {
      MatrixXd result(block.value(node, 0).size(), values_.structure().columns(node));
      for (Index j = 0; j < result.cols(); ++j) result.col(j) = block.value(node, j);
      return result;
    };
    const MatrixXd left = gather(x);
    const Eigen::VectorXd norms = left.colwise().norm();
    if (!symmetric) {
      const MatrixXd right = gather(y);
      return {left.transpose() * right, norms * right.colwise().norm()};
    }
    MatrixXd result = MatrixXd::Zero(rows, rows);
    result.selfadjointView<Eigen::Lower>().rankUpdate(left.transpose());
    return {result.selfadjointView<Eigen::Lower>(), norms * norms.transpose()};
  }
  PathAverage result{MatrixXd(rows, columns), MatrixXd(rows, columns)};
  for (Index i = 0; i < rows; ++i) {
    for (Index j = 0; j < columns; ++j) {
      const PathBlock::Sum sum =
          symmetric && j < i ? PathBlock::Sum{result.value(j, i), result.size(j, i)} : block.sum(x, i, y, j);
      result.value(i, j) = sum.value;
      result.size(i, j) = sum.size;
    }
  }
  return result;
}

Paths::Points& Paths::local_points() {
  if (!local_) {
    const auto dimension = static_cast<int>(systems_.local_columns.at(system_));
    local_ = std::make_unique<Points>(dimension, log2_points_, seed_of_part(seed_, 1));
  }
  return *local_;
}

// The columns that the product of two columns depends on.
std::vector<Draw> Paths::draw_locally(ConditionalDraws& draws, const Column& x, const Column& y) {
  LeafColumns leaf_columns(values_.structure(), forms_.sampled());
  std::set<Column> needed = leaf_columns.of(x);
  if (y.first != one) needed.merge(std::set<Column>(leaf_columns.of(y)));
  std::vector<Draw> result;
  for (const Column& column : needed) result.push_back(draws.append(column));
  return result;
}

PathAverage Paths::average_locally(NodeIndex x, NodeIndex y) {
  Points& points = local_points();
  const auto [rows, columns, symmetric] = shape(x, y);
  PathAverage result{MatrixXd(rows, columns), MatrixXd(rows, columns)};
  const auto count = static_cast<double>(this->points());
  for (Index i = 0; i < rows; ++i) {
    for (Index j = 0; j < columns; ++j) {
      if (symmetric && j < i) {
        result.value(i, j) = result.value(j, i);
        result.size(i, j) = result.size(j, i);
        continue;
      }
      progress_.check();
      ConditionalDraws draws(values_, nullptr);
      const std::vector<Draw> drawn = draw_locally(draws, {x, i}, {y, j});
      PathBlock::Sum sum;
      for (BlockNormals& normals : points.blocks) {
        PathBlock block(values_, forms_, normals);
        for (const Draw& draw : drawn) block.draw(draw);
        const PathBlock::Sum more = block.sum(x, i, y, j);
        sum.value += more.value;
        sum.size += more.size;
      }
      result.value(i, j) = sum.value / count;
      result.size(i, j) = sum.size / count;
    }
  }
  return result;
}

// The changes of these entries (rows) in every direction.
MatrixXd Paths::pushed(Points& points, const ConditionalDraws& draws, const std::vector<Draw>& drawn,
                       NodeIndex x, NodeIndex y, const EntryList& entries, const Changes& changes,
                       PathDerivative derivative) {
  const Index directions = changes.directions();
  std::vector<FormChanges> form_changes;
  for (Index b = 0; b < directions; ++b) {
    form_changes.emplace_back(values_.structure(), values_.forms(), changes, b);
  }
  std::vector<DrawChange> draw_changes;
  std::vector<std::vector<Score>> scores;
  if (derivative == PathDerivative::pathwise) {
    draw_changes = draws.changes(changes);
  } else {
    for (Index b = 0; b < directions; ++b) scores.push_back(draws.scores(changes, b));
    for (const Draw& draw : drawn) {  // the columns stay where they are, their law moves
      draw_changes.push_back({draw.column, Eigen::RowVectorXd::Zero(directions), {}});
    }
  }
  const auto count = static_cast<double>(this->points());
  MatrixXd result = MatrixXd::Zero(std::ssize(entries), directions);
  Eigen::VectorXd means = Eigen::VectorXd::Zero(std::ssize(entries));
  Eigen::RowVectorXd mean_scores = Eigen::RowVectorXd::Zero(directions);
  for (BlockNormals& normals : points.blocks) {
    progress_.check();
    PathBlock block(values_, forms_, normals, changes, form_changes);
    for (const Draw& draw : drawn) block.draw(draw);
    for (const DrawChange& change : draw_changes) block.draw(change);
    MatrixXd weights = MatrixXd::Zero(normals.count(), scores.empty() ? 0 : directions);
    for (Index b = 0; b < weights.cols(); ++b) {
      for (const Score& score : scores[static_cast<std::size_t>(b)]) {
        weights.col(b) += values_of(score, normals).matrix();
      }
    }
    if (weights.cols() > 0) mean_scores += weights.colwise().sum() / count;
    for (Index k = 0; k < std::ssize(entries); ++k) {
      const auto [i, j] = entries[static_cast<std::size_t>(k)];
      PathNumber storage;
      const PathNumber& number = block.conditional(x, i, y, j, storage);
      result.row(k) += number.change_sum(block.paths(), directions) / count;
      if (weights.cols() == 0) continue;
      result.row(k) += number.values(block.paths()).matrix().transpose() * weights / count;
      means[k] += number.sum(block.paths()) / count;
    }
  }
  return result - means * mean_scores;
}

Directions Paths::push(NodeIndex x, NodeIndex y, const Changes& changes, PathDerivative derivative) {
  const auto [rows, columns, symmetric] = shape(x, y);
  EntryList entries;
  for (Index j = 0; j < columns; ++j) {
    for (Index i = symmetric ? j : 0; i < rows; ++i) entries.emplace_back(i, j);
  }
  const MatrixXd part = pushed(*common_, draws_, drawn_, x, y, entries, changes, derivative);
  Directions result(rows * columns, changes.directions());
  for (std::size_t k = 0; k < entries.size(); ++k) {
    const auto [i, j] = entries[k];
    result.row(j * rows + i) = part.row(static_cast<Index>(k));
    if (symmetric) result.row(i * rows + j) = part.row(static_cast<Index>(k));
  }
  return result;
}

Directions Paths::push_locally(NodeIndex x, NodeIndex y, const Changes& changes, PathDerivative derivative) {
  Points& points = local_points();
  const auto [rows, columns, symmetric] = shape(x, y);
  Directions result(rows * columns, changes.directions());
  for (Index j = 0; j < columns; ++j) {
    for (Index i = symmetric ? j : 0; i < rows; ++i) {
      ConditionalDraws draws(values_, nullptr);
      const std::vector<Draw> drawn = draw_locally(draws, {x, i}, {y, j});
      result.row(j * rows + i) = pushed(points, draws, drawn, x, y, {{i, j}}, changes, derivative);
      if (symmetric) result.row(i * rows + j) = result.row(j * rows + i);
    }
  }
  return result;
}

Paths& PathPool::operator[](int system) {
  const auto found = paths_.find(system);
  if (found != paths_.end()) return found->second;
  const std::uint64_t seed = seed_of_part(seed_, static_cast<std::uint64_t>(system));
  const auto axes = axes_.find(system);
  const PrincipalAxes* known = axes == axes_.end() ? nullptr : &axes->second;
  return paths_.try_emplace(system, values_, systems_, system, known, log2_points_, seed, progress_)
      .first->second;
}

PathPool::Axes PathPool::principal_axes() const {
  Axes result;
  for (const auto& [system, paths] : paths_) result.emplace(system, paths.principal_axes());
  return result;
}

void PathPool::release() {
  for (auto& [system, paths] : paths_) paths.release();
}

}  // namespace nngpcheck::analytic
