#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <string>
#include <vector>

#include "nngpcheck/analytic/columns/buffers.hpp"
#include "nngpcheck/analytic/columns/uncertain_arithmetic.hpp"
#include "nngpcheck/analytic/error.hpp"
#include "nngpcheck/analytic/gaussian/dual.hpp"
#include "nngpcheck/analytic/gaussian/gaussian_smoothing.hpp"
#include "nngpcheck/analytic/gaussian/hermite_series.hpp"
#include "nngpcheck/analytic/gaussian/moment_columns.hpp"
#include "nngpcheck/analytic/gaussian/normal_law.hpp"
#include "nngpcheck/analytic/gaussian/quadrature_pair.hpp"
#include "nngpcheck/analytic/uncertain.hpp"
#include "nngpcheck/support/parallel.hpp"

namespace nngpcheck::analytic {

namespace {

constexpr Eigen::Index tile = 64;  // rows whose series are summed together
using TileArray = Eigen::Array<double, Eigen::Dynamic, 1, 0, tile, 1>;
constexpr double largest_remainder = 1e-12;  // beyond it, quadrature

std::vector<Normal> checked_marginals(const Marginals& marginals, const char* side) {
  std::vector<Normal> result;
  for (Eigen::Index i = 0; i < marginals.mean.value.size(); ++i) {
    result.push_back(checked_normal({marginals.mean.value(i), marginals.mean.bound(i)},
                                    {marginals.variance.value(i), marginals.variance.bound(i)},
                                    std::string("dual kernel, ") + side + " " + std::to_string(i)));
  }
  return result;
}

bool has_zero_mean(const Normal& normal) { return normal.mean.value == 0 && normal.mean.bound == 0; }

/// What the bound of a series needs to know of one marginal.
struct SeriesSide {
  bool usable;
  double deviation, inverse_deviation;
  double norm, error, gradient, both;  // both = √(gradient² + norm²)
  double curvature;
  double variance_shift;  // relative bound of the variance, halved
  double mean_shift;      // bound of the mean in deviations
};

std::vector<SeriesSide> series_sides(const std::vector<Normal>& normals, const HermiteTable& table) {
  std::vector<SeriesSide> result;
  for (std::size_t i = 0; i < normals.size(); ++i) {
    const Eigen::Index n = static_cast<Eigen::Index>(i);
    const double variance = normals[i].variance.value;
    const double deviation = std::sqrt(variance);
    result.push_back({table.usable[i], deviation, 1 / deviation, table.norm(n), table.error(n),
                      table.gradient(n), std::hypot(table.gradient(n), table.norm(n)), table.curvature(n),
                      normals[i].variance.bound / (2 * variance), normals[i].mean.bound / deviation});
  }
  return result;
}

/// Which coefficients matter: all, the odd ones and a_0 b_0, or the even ones.
enum class Parity { none, odd, even };

Parity common_parity(const HermiteTable& rows, const HermiteTable& columns) {
  const auto largest = [](const HermiteTable& table, Eigen::Index k) {
    double result = 0;
    for (Eigen::Index i = 0; i < table.coefficients.rows(); ++i) {
      if (table.usable[i] && table.norm(i) > 0) {
        result = std::max(result, std::abs(table.coefficients(i, k)) / table.norm(i));
      }
    }
    return result;
  };
  std::array<bool, 2> vanish = {true, true};
  for (Eigen::Index k = 1; k < std::min(rows.orders(), columns.orders()); ++k) {
    if (largest(rows, k) * largest(columns, k) > 1e-19) vanish[k % 2] = false;
  }
  return vanish[0] ? Parity::odd : vanish[1] ? Parity::even : Parity::none;
}

/// One dual_block, entry by entry in the order of memory.
class Block {
 public:
  Block(const netsor::Activation& phi, const netsor::Activation& psi, const Marginals& rows,
        const Marginals& columns, const UncertainMatrix& covariance, Symmetry symmetry,
        const Checkpoint& checkpoint, std::size_t threads, HermiteTables& tables, Buffers& buffers)
      : phi_(phi),
        psi_(psi),
        rows_(checked_marginals(rows, "row")),
        columns_(checked_marginals(columns, "column")),
        covariance_(covariance),
        symmetric_(symmetry == Symmetry::symmetric),
        checkpoint_(checkpoint),
        threads_(threads),
        tables_(tables),
        quadrature_(phi, psi),
        quadrature_rows_(rows_.size()),
        quadrature_columns_(columns_.size()) {
    const Eigen::Index m = static_cast<Eigen::Index>(rows_.size());
    const Eigen::Index n = static_cast<Eigen::Index>(columns_.size());
    if (covariance.value.rows() != m || covariance.value.cols() != n || covariance.bound.rows() != m ||
        covariance.bound.cols() != n || (symmetric_ && m != n)) {
      throw LimitError("dual kernel: the covariance is " + std::to_string(covariance.value.rows()) + " × " +
                       std::to_string(covariance.value.cols()) + ", the marginals want " + std::to_string(m) +
                       " × " + std::to_string(n));
    }
    result_.moment = buffers.take_pair(m, n);
    result_.method = DualMethod::closed_form;
    result_.evaluations = 0;
  }

  DualBlock evaluate() {
    const bool zero_means = std::all_of(rows_.begin(), rows_.end(), has_zero_mean) &&
                            std::all_of(columns_.begin(), columns_.end(), has_zero_mean);
    const std::optional<ClosedForm> formula = closed_form(phi_, psi_, zero_means ? Means::zero : Means::any);
    if (formula) {
      std::visit([this](const auto& form) { fill(form); }, *formula);
    } else {
      fill_by_series();
    }
    fill_degenerate();
    if (symmetric_) mirror(result_.moment, Triangle::lower);
    check_finite();
    return std::move(result_);
  }

 private:
  Eigen::Index first_row(Eigen::Index j) const { return symmetric_ ? j : 0; }

  void store(Eigen::Index i, Eigen::Index j, Estimate estimate) {
    result_.moment.value(i, j) = estimate.value;
    result_.moment.bound(i, j) = estimate.bound;
  }

  Estimate covariance(Eigen::Index i, Eigen::Index j, double limit) const {
    const Estimate c = {covariance_.value(i, j), covariance_.bound(i, j)};
    if (is_within(i, j, limit)) return c;
    return checked_covariance(rows_[i], columns_[j], c,
                              "dual kernel, entry (" + std::to_string(i) + ", " + std::to_string(j) + ")");
  }

  template <class Form>
  void fill(const Form& form) {
    using Column = std::optional<typename Form::Column>;
    const Eigen::Index m = static_cast<Eigen::Index>(rows_.size());
    std::vector<Column> rows(rows_.size());
    Eigen::VectorXd deviations(m);
    for (Eigen::Index i = 0; i < m; ++i) {
      if (rows_[i].variance.value > 0) rows[i] = form.row(rows_[i]);
      deviations[i] = std::sqrt(rows_[i].variance.value);
    }
    const bool regular = (deviations.array() > 0).all();
    std::optional<MomentColumns<Form>> at_once;
    if constexpr (has_moment_columns<Form>) {
      if (regular && form.is_branch_free()) at_once.emplace(form, rows_);
    }
    for_each_column([&](Eigen::Index j) {
      if (columns_[j].variance.value == 0) return;
      check();
      const typename Form::Column column = form.column(columns_[j]);
      const double deviation = std::sqrt(columns_[j].variance.value);
      const auto fill_entry = [&](Eigen::Index i) {
        const Estimate c = covariance(i, j, deviation * deviations[i]);
        const Moment moment = form.moment(*rows[i], column, c);
        store(i, j,
              symmetric_ && i == j ? with_bounds_on_diagonal(moment, rows_[i])
                                   : with_bounds(moment, rows_[i], columns_[j], c.bound));
      };
      const Eigen::Index first = first_row(j);
      if constexpr (has_moment_columns<Form>) {
        if (at_once) {
          at_once->evaluate(columns_[j], first, m, covariance_.value.col(j).data(),
                            covariance_.bound.col(j).data(), result_.moment.value.col(j).data(),
                            result_.moment.bound.col(j).data());
          if (symmetric_) fill_entry(j);
          if (are_within(j, deviation, deviations)) return;
          for (Eigen::Index i = first; i < m; ++i) {
            if (!is_within(i, j, deviation * deviations[i])) fill_entry(i);
          }
          return;
        }
      }
      for (Eigen::Index i = first; i < m; ++i) {
        if (rows[i]) fill_entry(i);
      }
    });
    for (Eigen::Index j = 0; j < static_cast<Eigen::Index>(columns_.size()); ++j) {
      if (columns_[j].variance.value > 0) result_.evaluations += m - first_row(j);
    }
  }

  /// Whether a covariance needs no further look, and whether those of column j do.
  bool is_within(Eigen::Index i, Eigen::Index j, double limit) const {
    return std::abs(covariance_.value(i, j)) <= limit && covariance_.bound(i, j) >= 0;
  }
  bool are_within(Eigen::Index j, double deviation, const Eigen::VectorXd& deviations) const {
    const Eigen::Index first = first_row(j), count = deviations.size() - first;
    const auto c = covariance_.value.col(j).segment(first, count).array();
    return (c.abs() <= deviation * deviations.segment(first, count).array()).all() &&
           (covariance_.bound.col(j).segment(first, count).array() >= 0).all();
  }

  /// On all threads, in tiles.
  template <class Visit>
  void for_each_column(const Visit& visit) const {
    const auto columns = static_cast<Eigen::Index>(columns_.size());
    support::in_parallel(static_cast<std::size_t>((columns + tile - 1) / tile), threads_, [&](std::size_t t) {
      const auto first = static_cast<Eigen::Index>(t) * tile;
      for (Eigen::Index j = first; j < std::min(columns, first + tile); ++j) visit(j);
    });
  }

  Eigen::Index cheapest_orders() const;
  std::vector<double> absolute_correlations() const;
  void fill_by_series();
  void fill_diagonal(Eigen::Index j);
  void fill_tile(Eigen::Index j, Eigen::Index begin, Eigen::Index end, Eigen::Index tile_index);
  void sum_series(Eigen::Index j, Eigen::Index begin, Eigen::Index order, const TileArray& rho,
                  TileArray& sum, TileArray& slope) const;

  void check() const {
    if (checkpoint_) checkpoint_();
  }

  void fill_by_quadrature(Eigen::Index i, Eigen::Index j, Estimate c) {
    check();
    if (!quadrature_rows_[i]) quadrature_rows_[i] = quadrature_.row(rows_[i]);
    if (!quadrature_columns_[j]) quadrature_columns_[j] = quadrature_.column(columns_[j]);
    store(i, j, quadrature_.moment(*quadrature_rows_[i], *quadrature_columns_[j], c));
    result_.method = DualMethod::quadrature;
    result_.evaluations += quadrature_.work();
  }

  void fill_degenerate() {
    for (Eigen::Index j = 0; j < static_cast<Eigen::Index>(columns_.size()); ++j) {
      for (Eigen::Index i = first_row(j); i < static_cast<Eigen::Index>(rows_.size()); ++i) {
        if (rows_[i].variance.value > 0 && columns_[j].variance.value > 0) continue;
        covariance(i, j, 0);
        store(i, j, degenerate_dual(phi_, psi_, rows_[i], columns_[j]));
      }
    }
  }

  void check_finite() const {
    if (result_.moment.value.allFinite() && result_.moment.bound.allFinite()) return;
    for (Eigen::Index j = 0; j < result_.moment.value.cols(); ++j) {
      for (Eigen::Index i = 0; i < result_.moment.value.rows(); ++i) {
        if (std::isfinite(result_.moment.value(i, j)) && std::isfinite(result_.moment.bound(i, j))) continue;
        throw LimitError("dual kernel of " + phi_.name() + " and " + psi_.name() + ", entry (" +
                         std::to_string(i) + ", " + std::to_string(j) +
                         "): the expectation overflows; reduce the variance or use a " +
                         "bounded activation");
      }
    }
  }

  const netsor::Activation& phi_;
  const netsor::Activation& psi_;
  std::vector<Normal> rows_;
  std::vector<Normal> columns_;
  const UncertainMatrix& covariance_;
  bool symmetric_;
  const Checkpoint& checkpoint_;
  std::size_t threads_;
  HermiteTables& tables_;
  QuadraturePair quadrature_;
  std::vector<std::optional<QuadraturePair::Column>> quadrature_rows_;
  std::vector<std::optional<QuadraturePair::Column>> quadrature_columns_;
  HermiteTable row_table_;
  HermiteTable column_table_;
  std::vector<SeriesSide> row_sides_;
  std::vector<SeriesSide> column_sides_;
  Eigen::MatrixXd tile_tails_;  // orders × tiles: the largest tail of the tile's usable rows
  Eigen::Index orders_ = 0;
  Parity parity_ = Parity::none;
  DualBlock result_;
};

void Block::fill_by_series() {
  result_.method = DualMethod::series;
  orders_ = cheapest_orders();
  row_table_ = tables_.table(phi_, rows_, orders_);
  column_table_ = symmetric_ ? row_table_ : tables_.table(psi_, columns_, orders_);
  row_sides_ = series_sides(rows_, row_table_);
  column_sides_ = series_sides(columns_, column_table_);
  orders_ = row_table_.orders();
  parity_ = common_parity(row_table_, column_table_);
  const Eigen::Index m = static_cast<Eigen::Index>(rows_.size());
  const Eigen::Index tiles = (m + tile - 1) / tile;
  tile_tails_ = Eigen::MatrixXd::Zero(orders_, tiles);
  for (Eigen::Index i = 0; i < m; ++i) {
    if (!row_table_.usable[i]) continue;
    auto largest = tile_tails_.col(i / tile);
    largest = largest.cwiseMax(row_table_.tails.row(i).head(orders_).transpose());
  }
  for (Eigen::Index j = 0; j < static_cast<Eigen::Index>(columns_.size()); ++j) {
    if (columns_[j].variance.value == 0) continue;
    check();
    if (symmetric_) fill_diagonal(j);
    const Eigen::Index first = symmetric_ ? j + 1 : 0;
    for (Eigen::Index t = first / tile; t < tiles; ++t) {
      fill_tile(j, std::max(t * tile, first), std::min(m, (t + 1) * tile), t);
    }
  }
}

/// Orders that are sufficient, or those for which tables and quadrature of the pairs that they leave over
/// take the least work together.
Eigen::Index Block::cheapest_orders() const {
  const std::vector<double> correlations = absolute_correlations();
  const double largest_correlation =
      correlations.empty() ? 0 : *std::max_element(correlations.begin(), correlations.end());
  if (const auto sufficient =
          sufficient_orders(tables_, phi_, rows_, psi_, columns_, std::min(1., largest_correlation)))
    return *sufficient;
  // What quadrature takes for a pair: formulas, or panels within panels.
  const auto kinks = [](const netsor::Activation& f) {
    const double far = 10;
    return static_cast<double>(f.breakpoints(-far, far).points.size());
  };
  const double pair_work = has_smoothed(phi_) || has_smoothed(psi_) ? 1e5 : 1e7 * (1 + kinks(phi_));
  const double marginals = static_cast<double>(rows_.size() + (symmetric_ ? 0 : columns_.size()));
  Eigen::Index best = usual_orders;
  double least = std::numeric_limits<double>::infinity();
  for (Eigen::Index orders = usual_orders; orders <= largest_orders; orders *= 2) {
    // ρ^orders < largest_remainder, tails of kinks being small only by themselves
    const double largest = std::pow(largest_remainder, 1 / static_cast<double>(orders));
    const auto left = std::count_if(correlations.begin(), correlations.end(),
                                    [largest](double rho) { return rho > largest; });
    const double work = marginals * table_work(orders) + static_cast<double>(left) * pair_work;
    if (work < least) {
      least = work;
      best = orders;
    }
  }
  return best;
}

/// Of the pairs that need a series.
std::vector<double> Block::absolute_correlations() const {
  std::vector<double> result;
  for (Eigen::Index j = 0; j < covariance_.value.cols(); ++j) {
    for (Eigen::Index i = first_row(j); i < covariance_.value.rows(); ++i) {
      const double limit = std::sqrt(rows_[i].variance.value) * std::sqrt(columns_[j].variance.value);
      if (limit > 0 && !(symmetric_ && i == j)) result.push_back(std::abs(covariance_.value(i, j)) / limit);
    }
  }
  return result;
}

void Block::fill_diagonal(Eigen::Index j) {
  covariance(j, j, rows_[j].variance.value);
  if (row_table_.usable[j]) {
    store(j, j, with_bounds_on_diagonal(row_table_.square[j], rows_[j]));
  } else {
    store(j, j, square_with_bounds(phi_, rows_[j]));
    result_.method = DualMethod::quadrature;
  }
}

void Block::fill_tile(Eigen::Index j, Eigen::Index begin, Eigen::Index end, Eigen::Index tile_index) {
  const SeriesSide& v = column_sides_[j];
  std::array<Estimate, tile> c;
  TileArray rho = TileArray::Zero(end - begin);
  TileArray sum(end - begin);
  TileArray slope(end - begin);
  double largest_rho = 0;
  for (Eigen::Index i = begin; i < end; ++i) {
    const Eigen::Index n = i - begin;
    if (rows_[i].variance.value == 0) continue;
    const double limit = row_sides_[i].deviation * v.deviation;
    c[n] = covariance(i, j, limit);
    rho[n] = std::clamp(c[n].value * row_sides_[i].inverse_deviation * v.inverse_deviation, -1.0, 1.0);
    largest_rho = std::max(largest_rho, std::abs(rho[n]));
  }
  Eigen::Index order = 0;
  double power = largest_rho;
  const auto tails = [&](Eigen::Index k) { return tile_tails_(k, tile_index) * column_table_.tails(j, k); };
  const double last = 1.5 * tails(orders_ - 1);
  const double negligible =  // where only rounding is left of the tails; those of kinks want powers of ρ
      last > largest_remainder ? negligible_remainder : std::max(negligible_remainder, last);
  while (order + 1 < orders_ && tails(order) * power > negligible) {
    ++order;
    power *= largest_rho;
  }
  if (v.usable) {
    sum_series(j, begin, order, rho, sum, slope);
    result_.evaluations += (end - begin) * (order + 1);
  }
  for (Eigen::Index i = begin; i < end; ++i) {
    const SeriesSide& u = row_sides_[i];
    const Eigen::Index n = i - begin;
    if (rows_[i].variance.value == 0) continue;
    const double shift_c = c[n].bound * u.inverse_deviation * v.inverse_deviation;
    const double shift = shift_c + u.variance_shift + v.variance_shift;
    double remainder = row_table_.tails(i, order) * column_table_.tails(j, order);
    if (remainder > negligible_remainder) {
      remainder *= std::pow(std::min(1.0, std::abs(rho[n]) + shift), static_cast<double>(order + 1));
    }
    if (!u.usable || !v.usable || remainder > largest_remainder) {
      fill_by_quadrature(i, j, c[n]);
      continue;
    }
    const double norms = u.norm * v.norm;
    // |∂E/∂ρ| over the shift: by Cauchy-Schwarz, or at ρ and with a bound on the second derivative
    const double steepest =
        std::min(u.gradient * v.gradient, std::abs(slope[n]) + u.curvature * v.curvature * shift);
    // Horner's scheme rounds term k 2k times, and Σ k |a_k b_k| is at most the product of the gradients. ρ is
    // a product of three rounded numbers.
    const double horner = epsilon * (norms + u.gradient * v.gradient);
    const double bound = horner + norms * remainder + steepest * (4 * epsilon + shift_c) + u.error * v.norm +
                         v.error * u.norm +
                         u.variance_shift * std::min(u.curvature * v.norm, u.gradient * v.both) +
                         v.variance_shift * std::min(v.curvature * u.norm, v.gradient * u.both) +
                         u.mean_shift * u.gradient * v.norm + v.mean_shift * v.gradient * u.norm;
    store(i, j, {sum[n], bound});
  }
}

/// Σ_{k ≤ order} a_k b_k ρ^k and its derivative in ρ, by Horner's scheme in ρ, or ρ² where every other term
/// vanishes.
void Block::sum_series(Eigen::Index j, Eigen::Index begin, Eigen::Index order, const TileArray& rho,
                       TileArray& sum, TileArray& slope) const {
  const Eigen::Index count = rho.size();
  const Eigen::Index step = parity_ == Parity::none ? 1 : 2;
  const Eigen::Index lowest = parity_ == Parity::odd ? 1 : 0;
  const TileArray x = parity_ == Parity::none ? rho : TileArray(rho * rho);
  const auto term = [&](Eigen::Index k) {
    return column_table_.coefficients(j, k) * row_table_.coefficients.col(k).segment(begin, count).array();
  };
  sum.setZero();
  slope.setZero();
  for (Eigen::Index k = order - ((order - lowest) & (step - 1)); k >= lowest; k -= step) {
    slope = slope * x + sum;
    sum = sum * x + term(k);
  }
  if (parity_ == Parity::even) slope *= 2 * rho;
  if (parity_ == Parity::odd) {
    slope = sum + 2 * x * slope;
    sum = sum * rho + term(0);
  }
}

}  // namespace

DualBlock dual_block(const netsor::Activation& phi, const netsor::Activation& psi, const Marginals& rows,
                     const Marginals& columns, const UncertainMatrix& covariance, Symmetry symmetry,
                     const Checkpoint& checkpoint, std::size_t threads, HermiteTables* tables,
                     Buffers* buffers) {
  HermiteTables own;
  Buffers fresh;
  return Block(phi, psi, rows, columns, covariance, symmetry, checkpoint, threads, tables ? *tables : own,
               buffers ? *buffers : fresh)
      .evaluate();
}

}  // namespace nngpcheck::analytic
