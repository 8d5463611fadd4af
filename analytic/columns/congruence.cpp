#include "nngpcheck/analytic/columns/congruence.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <set>
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
std::vector<Run> runs(const SparseMatrix& matrix) {
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

// Adds AᵀEB to the first `last` entries of column j of `sum`; what lies between the two products stays in the
// cache. Calls column(k, i, n) for rows i to i + n of column k of E.
template <class Column>
void add_product(Eigen::MatrixXd& sum, const std::vector<Run>& left, const Column& column,
                 const SparseMatrix& right, Index j, Index last) {
  constexpr Index chunk = 512;
  Index rows = 0;  // that `left` reads
  for (const Run& run : left) {
    if (run.column >= last) break;
    rows = std::max(rows, run.row + std::min(run.length, last - run.column));
  }
  Eigen::VectorXd half = Eigen::VectorXd::Zero(rows), product = Eigen::VectorXd::Zero(last);
  for (Index i = 0; i < rows; i += chunk) {
    const Index n = std::min(chunk, rows - i);
    for (SparseMatrix::InnerIterator it(right, j); it; ++it)
      half.segment(i, n) += it.value() * column(it.row(), i, n);
  }
  for (const Run& run : left) {
    if (run.column >= last) break;
    const Index n = std::min(run.length, last - run.column);
    product.segment(run.column, n) += run.coefficient * half.segment(run.row, n);
  }
  sum.col(j).head(last) += product;
}

/// c·e, the rows of a column of E from some row on, and a bound on the rounding of c·e relative to it.
struct Scaled {
  const double* value;
  const double* bound;
  double c, rounding;
};

// Several rows at once; as wide as the widest registers, and on others several of them.
using Lanes = double __attribute__((vector_size(64)));
constexpr Index lanes = sizeof(Lanes) / sizeof(double);

template <class Numbers>
[[gnu::always_inline]] inline void sum_rows(double* sum, double* bound, const Scaled* terms, std::size_t size,
                                            Index i) {
  Numbers values{}, bounds{}, value, error;
  for (std::size_t t = 0; t < size; ++t) {
    std::memcpy(&value, terms[t].value + i, sizeof(Numbers));
    std::memcpy(&error, terms[t].bound + i, sizeof(Numbers));
    values += terms[t].c * value;
    bounds += std::abs(terms[t].c) * (error + terms[t].rounding * (value < 0 ? -value : value));
  }
  std::memcpy(sum + i, &values, sizeof(Numbers));
  std::memcpy(bound + i, &bounds, sizeof(Numbers));
}

// The sums of n rows. Nothing is read of where they go, so that the last lanes may overlap those before.
NNGPCHECK_FOR_EVERY_WIDTH
void sum_scaled(double* sum, double* bound, const Scaled* terms, std::size_t size, Index n) {
  if (n < lanes) {
    for (Index i = 0; i < n; ++i) sum_rows<double>(sum, bound, terms, size, i);
    return;
  }
  for (Index i = 0; i + lanes < n; i += lanes) sum_rows<Lanes>(sum, bound, terms, size, i);
  sum_rows<Lanes>(sum, bound, terms, size, n - lanes);
}

NNGPCHECK_FOR_EVERY_WIDTH
void add_to(double* __restrict sum, const double* __restrict value, Index n) {
  for (Index i = 0; i < n; ++i) sum[i] += value[i];
}

// A congruence, one of so many, ready to be added column by column.
class Summand {
 public:
  Summand(const Congruence& congruence, std::size_t summands)
      : e_(congruence.e),
        left_(of_columns(congruence.a, e_.value.rows())),
        right_(of_columns(congruence.b, e_.value.cols())),
        scaled_(congruence.scale * right_.value),
        right_size_(scaled_.cwiseAbs()),
        left_runs_(runs(left_.value)),
        size_runs_(runs(left_.value.cwiseAbs())),
        rounding_(epsilon *
                  static_cast<double>(2 + static_cast<Index>(summands) + nonzeros_per_column(left_.value) +
                                      nonzeros_per_column(right_.value))) {
    if (left_.bound.size() > 0) left_errors_ = runs(left_.bound);
    if (right_.bound.size() > 0) right_errors_ = std::abs(congruence.scale) * right_.bound;
  }

  /// Whether column j of AᵀEB is one column of E in shifted runs, as those of convolutions are.
  bool is_shift() const { return left_errors_.empty() && right_errors_.size() == 0; }
  bool is_shift(Index j) const { return is_shift() && nonzeros(j) == 1; }
  const std::vector<Run>& left_runs() const { return left_runs_; }

  /// Precondition: is_shift(j). From the first row of E on, times the coefficient of B.
  Scaled column(Index j) const {
    const SparseMatrix::InnerIterator it(scaled_, j);
    return {e_.value.col(it.row()).data(), e_.bound.col(it.row()).data(), it.value(), rounding_};
  }

  void add_column(UncertainMatrix& sum, Index j, Index last) const {
    if (nonzeros(j) == 0 && right_errors_.size() == 0) return;
    const auto value = [this](Index k, Index i, Index n) { return e_.value.col(k).segment(i, n); };
    const auto size = [&](Index k, Index i, Index n) { return value(k, i, n).cwiseAbs(); };
    const auto error = [&](Index k, Index i, Index n) {
      return e_.bound.col(k).segment(i, n) + rounding_ * size(k, i, n);
    };
    add_product(sum.value, left_runs_, value, scaled_, j, last);
    add_product(sum.bound, size_runs_, error, right_size_, j, last);
    if (!left_errors_.empty()) add_product(sum.bound, left_errors_, size, right_size_, j, last);
    if (right_errors_.size() > 0) add_product(sum.bound, size_runs_, size, right_errors_, j, last);
  }

 private:
  Index nonzeros(Index j) const { return scaled_.outerIndexPtr()[j + 1] - scaled_.outerIndexPtr()[j]; }

  const UncertainMatrix& e_;
  const Coefficients left_, right_;
  const SparseMatrix scaled_, right_size_;
  const std::vector<Run> left_runs_, size_runs_;
  const double rounding_;
  std::vector<Run> left_errors_;
  SparseMatrix right_errors_;
};

// The shifts among the summands, all at once: rows of the sum in segments in each of which the same runs
// read.
class Shifts {
 public:
  Shifts(const std::vector<Summand>& summands, Index rows) : summands_(summands) {
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
  }

  /// Adds those of column j to its first `last` entries.
  void add_column(UncertainMatrix& sum, Index j, Index last) const {
    std::vector<Scaled> columns(summands_.size()), terms(most_reads());
    for (std::size_t s = 0; s < summands_.size(); ++s)
      columns[s] = summands_[s].is_shift(j) ? summands_[s].column(j) : Scaled{};
    Eigen::VectorXd value(last), bound(last);
    for (std::size_t k = 0; k < reads_.size() && begins_[k] < last; ++k) {
      std::size_t size = 0;
      for (const Read& read : reads_[k]) {
        const Scaled& column = columns[read.summand];
        if (!column.value) continue;
        terms[size++] = {column.value + read.row, column.bound + read.row, read.coefficient * column.c,
                         column.rounding};
      }
      sum_scaled(value.data() + begins_[k], bound.data() + begins_[k], terms.data(), size,
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

  template <class Visit>
  void for_each_run(const Visit& visit) const {
    for (std::size_t s = 0; s < summands_.size(); ++s) {
      if (!summands_[s].is_shift()) continue;
      for (const Run& run : summands_[s].left_runs()) visit(s, run);
    }
  }
  std::size_t most_reads() const {
    std::size_t result = 0;
    for (const auto& reads : reads_) result = std::max(result, reads.size());
    return result;
  }

  const std::vector<Summand>& summands_;
  std::vector<Index> begins_;             // of segments, and the end of the last
  std::vector<std::vector<Read>> reads_;  // of each segment, in the order of summands
};

}  // namespace

void add_congruences(UncertainMatrix& sum, const std::vector<Congruence>& congruences, Entries entries,
                     std::size_t threads) {
  std::vector<Summand> summands;
  summands.reserve(congruences.size());
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
        if (!summand.is_shift(j)) summand.add_column(sum, j, last);
      }
    }
  });
}

}  // namespace nngpcheck::analytic
