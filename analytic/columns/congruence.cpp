#include "nngpcheck/analytic/columns/congruence.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <deque>
#include <optional>
#include <set>
#include <type_traits>
#include <utility>

#include "nngpcheck/analytic/vector_widths.hpp"
#include "nngpcheck/support/parallel.hpp"

namespace nngpcheck::analytic {

namespace {

using netsor::Index;
using netsor::SparseMatrix;
using Term = LinearForm::Term;

// These rows, which are all that are not empty.
SparseMatrix without_empty_rows(const SparseMatrix& matrix, const std::vector<Index>& rows) {
  if (std::ssize(rows) == matrix.rows() || matrix.size() == 0) return matrix;
  SparseMatrix result(std::ssize(rows), matrix.cols());
  result.reserve(matrix.nonZeros());
  for (Index j = 0; j < matrix.cols(); ++j) {
    result.startVec(j);
    for (SparseMatrix::InnerIterator it(matrix, j); it; ++it) {
      const auto row = std::lower_bound(rows.begin(), rows.end(), it.row()) - rows.begin();
      result.insertBack(row, j) = it.value();
    }
  }
  result.finalize();
  return result;
}

// A term's coefficients of so many columns: all, or those that it reads.
Coefficients of_columns(const Term& term, Index columns) {
  if (!term.coefficients) {
    SparseMatrix identity(columns, columns);
    identity.setIdentity();
    return {std::move(identity), {}};
  }
  if (term.coefficients->value.rows() == columns) return *term.coefficients;
  const std::vector<Index> rows = columns_read(term, columns);
  return {without_empty_rows(term.coefficients->value, rows),
          without_empty_rows(term.coefficients->bound, rows)};
}

Index nonzeros_per_column(const SparseMatrix& matrix) {
  Index most = 0;
  for (Index j = 0; j < matrix.cols(); ++j) {
    most = std::max<Index>(most, matrix.outerIndexPtr()[j + 1] - matrix.outerIndexPtr()[j]);
  }
  return most;
}

// Equal coefficients along a diagonal, such as those of one offset of a convolution in one line of an image.
struct Run {
  Index row, column, length;
  double coefficient;
};

// Of a compressed matrix, by ascending first columns.
std::vector<Run> diagonal_runs(const SparseMatrix& matrix) {
  std::vector<Run> result;
  std::vector<std::size_t> last(static_cast<std::size_t>(matrix.rows() + matrix.cols()), 0);
  for (Index j = 0; j < matrix.cols(); ++j) {
    for (SparseMatrix::InnerIterator it(matrix, j); it; ++it) {
      std::size_t& number = last[static_cast<std::size_t>(it.row() - j + matrix.cols())];
      if (number > 0) {
        Run& run = result[number - 1];
        if (run.column + run.length == j && run.coefficient == it.value()) {
          ++run.length;
          continue;
        }
      }
      result.push_back({it.row(), j, 1, it.value()});
      number = result.size();
    }
  }
  return result;
}

/// c·e of a column e of E from some row on, where c is off by at most `error` and rounding is included.
struct Scaled {
  const double* value;
  const double* bound;
  double c, error;
};

// Several rows at once; as wide as the widest registers, and on others several of them.
using Lanes = double __attribute__((vector_size(64)));
constexpr Index lanes = sizeof(Lanes) / sizeof(double);

/// Where sums of columns go: Σ c e, its bound, and Σ |c e|, which may be null.
struct Sums {
  double *value, *bound, *size;
};

template <class Numbers, bool sizes>
[[gnu::always_inline]] inline void sum_rows(const Sums& sums, const Scaled* terms, std::size_t count,
                                            Index i) {
  Numbers values{}, bounds{}, all{}, value, error;
  for (std::size_t t = 0; t < count; ++t) {
    std::memcpy(&value, terms[t].value + i, sizeof(Numbers));
    std::memcpy(&error, terms[t].bound + i, sizeof(Numbers));
    values += terms[t].c * value;
    const Numbers absolute = value < 0 ? -value : value;
    bounds += std::abs(terms[t].c) * error + terms[t].error * absolute;
    if constexpr (sizes) all += std::abs(terms[t].c) * absolute;
    if constexpr (std::is_same_v<Numbers, double>) asm volatile("");  // or else the terms are gathered
  }
  std::memcpy(sums.value + i, &values, sizeof(Numbers));
  std::memcpy(sums.bound + i, &bounds, sizeof(Numbers));
  if constexpr (sizes) std::memcpy(sums.size + i, &all, sizeof(Numbers));
}

template <bool sizes>
[[gnu::always_inline]] inline void sum_range(const Sums& sums, const Scaled* terms, std::size_t count,
                                             Index n) {
  if (n < lanes) {
    for (Index i = 0; i < n; ++i) sum_rows<double, sizes>(sums, terms, count, i);
    return;
  }
  for (Index i = 0; i + lanes < n; i += lanes) sum_rows<Lanes, sizes>(sums, terms, count, i);
  sum_rows<Lanes, sizes>(sums, terms, count, n - lanes);
}

// The sums of n rows. Nothing is read of where they go, so that the last lanes may overlap those before.
NNGPCHECK_FOR_EVERY_WIDTH
void sum_scaled(const Sums sums, const Scaled* terms, std::size_t count, Index n) {
  if (sums.size) {
    sum_range<true>(sums, terms, count, n);
  } else {
    sum_range<false>(sums, terms, count, n);
  }
}

/// Rows next to each other in one column of a matrix, such as those of one sequence.
struct Segment {
  Index column, row, length;
  const double* coefficients;
};

std::vector<Segment> segments(const SparseMatrix& matrix) {
  std::vector<Segment> result;
  for (Index j = 0; j < matrix.cols(); ++j) {
    Index next = -1;
    for (Index k = matrix.outerIndexPtr()[j]; k < matrix.outerIndexPtr()[j + 1]; ++k) {
      const Index row = matrix.innerIndexPtr()[k];
      if (row == next) {
        ++result.back().length;
      } else {
        result.push_back({j, row, 1, matrix.valuePtr() + k});
      }
      next = row + 1;
    }
  }
  return result;
}

// Adds the product of a segment's coefficients with `half` to the number of its column.
NNGPCHECK_FOR_EVERY_WIDTH
void add_segments(double* sum, const double* half, const Segment* segments, std::size_t count) {
  for (std::size_t s = 0; s < count; ++s) {
    const Segment& segment = segments[s];
    const double *x = segment.coefficients, *y = half + segment.row;
    Lanes products{}, left, right;
    Index i = 0;
    for (; i + lanes <= segment.length; i += lanes) {
      std::memcpy(&left, x + i, sizeof(Lanes));
      std::memcpy(&right, y + i, sizeof(Lanes));
      products += left * right;
    }
    double product = 0;
    for (; i < segment.length; ++i) product += x[i] * y[i];
    for (Index l = 0; l < lanes; ++l) product += products[l];
    sum[segment.column] += product;
  }
}

// Aᵀ, by runs along its diagonals where coefficients repeat there, or else by segments of its columns.
class Left {
 public:
  explicit Left(SparseMatrix a) : a_(std::move(a)), runs_(diagonal_runs(a_)) {
    constexpr Index worthwhile = 4;  // coefficients of a run
    if (worthwhile * std::ssize(runs_) > a_.nonZeros()) segments_ = segments(a_);
  }

  Left(const Left&) = delete;
  Left& operator=(const Left&) = delete;

  /// The rows that the first `last` columns read lie before this one.
  Index rows(Index last) const {
    Index result = 0;
    for (Index j = 0; j < last; ++j) {
      const Index end = a_.outerIndexPtr()[j + 1];
      if (end > a_.outerIndexPtr()[j]) result = std::max<Index>(result, a_.innerIndexPtr()[end - 1] + 1);
    }
    return result;
  }

  /// Adds the first `last` entries of Aᵀ times `half`.
  void add(double* sum, const double* half, Index last) const {
    if (!segments_.empty()) {
      const auto end = std::partition_point(segments_.begin(), segments_.end(),
                                            [last](const Segment& s) { return s.column < last; });
      return add_segments(sum, half, segments_.data(), static_cast<std::size_t>(end - segments_.begin()));
    }
    for (const Run& run : runs_) {
      if (run.column >= last) break;
      const Index n = std::min(run.length, last - run.column);
      for (Index i = 0; i < n; ++i) sum[run.column + i] += run.coefficient * half[run.row + i];
    }
  }

  const std::vector<Run>& runs() const { return runs_; }

 private:
  SparseMatrix a_;
  std::vector<Run> runs_;
  std::vector<Segment> segments_;  // of a_
};

NNGPCHECK_FOR_EVERY_WIDTH
void add_to(double* __restrict sum, const double* __restrict value, Index n) {
  for (Index i = 0; i < n; ++i) sum[i] += value[i];
}

// A congruence, one of so many, ready to be added column by column.
class Summand {
 public:
  Summand(const Congruence& congruence, std::size_t summands) : e_(congruence.e), is_shift_(false) {
    Coefficients left = of_columns(congruence.a, e_.value.rows());
    Coefficients right = of_columns(congruence.b, e_.value.cols());
    const Index both = nonzeros_per_column(left.value) + nonzeros_per_column(right.value);
    rounding_ = epsilon * static_cast<double>(2 + static_cast<Index>(summands) + both);
    is_shift_ = left.bound.size() == 0 && right.bound.size() == 0 && nonzeros_per_column(right.value) <= 1;
    right_ = congruence.scale * right.value;
    if (right.bound.size() > 0) {
      right_bound_ = std::abs(congruence.scale) * right.bound;
      either_ = right_.cwiseAbs() + right_bound_;
    }
    if (left.bound.size() > 0) left_bound_.emplace(std::move(left.bound));
    left_size_.emplace(left.value.cwiseAbs());
    left_.emplace(std::move(left.value));
  }

  /// Whether columns of AᵀEB are single columns of E in shifted runs, as those of convolutions are.
  bool is_shift() const { return is_shift_; }
  const std::vector<Run>& left_runs() const { return left_->runs(); }

  /// c·e for each column e of E that column j of B reads.
  void read(Index j, std::vector<Scaled>& terms) const {
    terms.clear();
    const bool bounds = right_bound_.size() > 0;
    for (SparseMatrix::InnerIterator it(bounds ? either_ : right_, j); it; ++it) {
      const double c = bounds ? right_.coeff(it.row(), j) : it.value();
      const double error = bounds ? right_bound_.coeff(it.row(), j) : 0;
      terms.push_back(
          {e_.value.col(it.row()).data(), e_.bound.col(it.row()).data(), c, std::abs(c) * rounding_ + error});
    }
  }

  /// Adds the first `last` entries of column j. What lies between the two products stays in the cache.
  void add_column(UncertainMatrix& sum, Index j, Index last) const {
    std::vector<Scaled> terms;
    read(j, terms);
    if (terms.empty()) return;
    const Index rows = std::max(left_->rows(last), left_bound_ ? left_bound_->rows(last) : 0);
    Eigen::VectorXd value(rows), bound(rows), size(left_bound_ ? rows : 0);
    sum_scaled({value.data(), bound.data(), left_bound_ ? size.data() : nullptr}, terms.data(), terms.size(),
               rows);
    left_->add(sum.value.col(j).data(), value.data(), last);
    left_size_->add(sum.bound.col(j).data(), bound.data(), last);
    if (left_bound_) left_bound_->add(sum.bound.col(j).data(), size.data(), last);
  }

 private:
  const UncertainMatrix& e_;
  bool is_shift_;
  double rounding_ = 0;
  std::optional<Left> left_, left_size_, left_bound_;  // A, |A| and the errors of A
  SparseMatrix right_, right_bound_, either_;          // B, its errors, and where one of them is not 0
};

// The shifts among the summands, all at once: rows of the sum in segments in each of which the same runs
// read.
class Shifts {
 public:
  Shifts(const std::deque<Summand>& summands, Index rows) : summands_(summands) {
    std::set<Index> ends = {0, rows};
    for_each_run([&](std::size_t, const Run& run) { ends.insert({run.column, run.column + run.length}); });
    begins_.assign(ends.begin(), ends.end());
    reads_.resize(begins_.size() - 1);
    for_each_run([&](std::size_t s, const Run& run) {
      auto segment = std::lower_bound(begins_.begin(), begins_.end(), run.column) - begins_.begin();
      for (; begins_[static_cast<std::size_t>(segment)] < run.column + run.length; ++segment) {
        const Index row = run.row + begins_[static_cast<std::size_t>(segment)] - run.column;
        reads_[static_cast<std::size_t>(segment)].push_back({s, row, run.coefficient});
      }
    });
    for (const auto& reads : reads_) most_reads_ = std::max(most_reads_, reads.size());
  }

  /// Adds those of column j to its first `last` entries.
  void add_column(UncertainMatrix& sum, Index j, Index last) const {
    if (most_reads_ == 0) return;
    std::vector<Scaled> columns(summands_.size()), terms(most_reads_);
    for (std::size_t s = 0; s < summands_.size(); ++s)
      if (summands_[s].is_shift()) columns[s] = column(s, j);
    Eigen::VectorXd value(last), bound(last);
    for (std::size_t k = 0; k < reads_.size() && begins_[k] < last; ++k) {
      std::size_t size = 0;
      for (const Read& read : reads_[k]) {
        const Scaled& column = columns[read.summand];
        if (!column.value) continue;
        terms[size++] = {column.value + read.row, column.bound + read.row, read.coefficient * column.c,
                         std::abs(read.coefficient) * column.error};
      }
      sum_scaled({value.data() + begins_[k], bound.data() + begins_[k], nullptr}, terms.data(), size,
                 std::min(begins_[k + 1], last) - begins_[k]);
    }
    add_to(sum.value.col(j).data(), value.data(), last);
    add_to(sum.bound.col(j).data(), bound.data(), last);
  }

 private:
  struct Read {
    std::size_t summand;
    Index row;
    double coefficient;
  };

  /// The column of E that column j of a summand reads; null if there is none.
  Scaled column(std::size_t summand, Index j) const {
    std::vector<Scaled> terms;
    summands_[summand].read(j, terms);
    return terms.empty() ? Scaled{} : terms.front();
  }

  template <class Visit>
  void for_each_run(const Visit& visit) const {
    for (std::size_t s = 0; s < summands_.size(); ++s) {
      if (!summands_[s].is_shift()) continue;
      for (const Run& run : summands_[s].left_runs()) visit(s, run);
    }
  }
  const std::deque<Summand>& summands_;
  std::vector<Index> begins_;             // of segments, and the end of the last
  std::vector<std::vector<Read>> reads_;  // of each segment, in the order of summands
  std::size_t most_reads_ = 0;            // of a segment
};

}  // namespace

void add_congruences(UncertainMatrix& sum, const std::vector<Congruence>& congruences, Entries entries,
                     std::size_t threads) {
  std::deque<Summand> summands;
  for (const Congruence& congruence : congruences) summands.emplace_back(congruence, congruences.size());
  const Shifts shifts(summands, sum.value.rows());
  constexpr Index columns = 32;  // of one thread at a time
  const auto tasks = static_cast<std::size_t>((sum.value.cols() + columns - 1) / columns);
  support::in_parallel(tasks, threads, [&](std::size_t task) {
    const Index begin = static_cast<Index>(task) * columns;
    for (Index j = begin; j < std::min(begin + columns, sum.value.cols()); ++j) {
      const Index last = entries == Entries::upper ? j + 1 : sum.value.rows();
      shifts.add_column(sum, j, last);
      for (const Summand& summand : summands) {
        if (!summand.is_shift()) summand.add_column(sum, j, last);
      }
    }
  });
}

}  // namespace nngpcheck::analytic
