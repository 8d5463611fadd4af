#include "nngpcheck/empirical/exact/summed_products.hpp"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <map>

namespace nngpcheck::empirical {

namespace {

using Eigen::Index;
using Eigen::MatrixXd;

// What a column of the sum is made of: which column of which product, how often (the bits of a number).
struct Part {
  std::size_t product;
  Index column;
  std::uint64_t factor;
  friend auto operator<=>(const Part&, const Part&) = default;
};

std::vector<Part> parts_of(const std::vector<SummedProduct>& products, Index column) {
  std::vector<Part> result;
  std::map<Index, double> factors;  // by column; the first of equal ones
  for (std::size_t k = 0; k < products.size(); ++k) {
    const auto& [deviation, gram, copies, matrix] = products[k];
    if (deviation == 0) continue;
    factors.clear();
    for (netsor::SparseMatrix::InnerIterator entry(matrix, column); entry; ++entry) {
      const Index first = copies[static_cast<std::size_t>(entry.row())];
      if (first != zero) factors[first] += entry.value();
    }
    for (const auto& [first, factor] : factors) {
      if (factor != 0) result.push_back({k, first, std::bit_cast<std::uint64_t>(factor)});
    }
  }
  return result;
}

Copies equal_sums(const std::vector<SummedProduct>& products, Index columns) {
  std::map<std::vector<Part>, Index> first;
  Copies result;
  for (Index j = 0; j < columns; ++j) {
    std::vector<Part> parts = parts_of(products, j);
    result.push_back(parts.empty() ? zero : first.try_emplace(std::move(parts), j).first->second);
  }
  return result;
}

// Entries of M with one value, to columns `to`, `to` + 1, … from rows `from`, `from` + 1, …: of shifts.
struct Run {
  Index to, from, length;
  double value;
};

std::vector<Run> runs_of(const netsor::SparseMatrix& matrix) {
  std::vector<Run> result;
  for (Index column = 0; column < matrix.cols(); ++column) {
    for (netsor::SparseMatrix::InnerIterator entry(matrix, column); entry; ++entry) {
      if (!result.empty()) {
        Run& last = result.back();
        if (last.to + last.length == column && last.from + last.length == entry.row() &&
            last.value == entry.value()) {
          ++last.length;
          continue;
        }
      }
      result.push_back({column, entry.row(), 1, entry.value()});
    }
  }
  return result;
}

// The upper half of G += scale MᵀΓM.
void add_by_entries(const netsor::SparseMatrix& matrix, const Eigen::Ref<const MatrixXd>& gram, double scale,
                    MatrixXd& sum) {
  const std::vector<Run> runs = runs_of(matrix);
  for (Index j = 0; j < matrix.cols(); ++j) {
    for (netsor::SparseMatrix::InnerIterator right(matrix, j); right; ++right) {
      for (const Run& left : runs) {
        if (left.to > j) break;
        const double* from = gram.col(right.row()).data() + left.from;
        double* to = sum.col(j).data() + left.to;
        const double factor = scale * right.value() * left.value;
        const Index length = std::min(left.length, j + 1 - left.to);
        for (Index i = 0; i < length; ++i) to[i] += factor * from[i];
      }
    }
  }
}

void add_by_columns(const MatrixXd& matrix, const Eigen::Ref<const MatrixXd>& gram, double scale,
                    MatrixXd& sum) {
  const auto from = static_cast<std::size_t>(matrix.rows()), to = static_cast<std::size_t>(matrix.cols());
  const MatrixXd scaled = scale * matrix;
  MatrixXd half = MatrixXd::Zero(matrix.rows(), matrix.cols());
  const Rows<const double> rows{gram.data(), static_cast<std::size_t>(gram.outerStride()), from};
  simd().multiply(rows, {scaled.data(), from, to}, from, {half.data(), from, to});
  simd().multiply({matrix.data(), from, to}, {half.data(), from, to}, from, {sum.data(), to, to});
}

void add_gram(const SummedProduct& product, MatrixXd& sum) {
  const netsor::SparseMatrix& matrix = product.matrix;
  const double scale = product.deviation * product.deviation;
  const auto entries = static_cast<double>(matrix.nonZeros()), columns = static_cast<double>(matrix.cols()),
             rows = static_cast<double>(matrix.rows());
  if (8 * entries * entries > rows * columns * (rows + columns))
    add_by_columns(matrix, product.gram, scale, sum);
  else
    add_by_entries(matrix, product.gram, scale, sum);
}

}  // namespace

Copies equal_columns(Rows<const double> x, std::size_t inner, const MatrixXd& gram) {
  Copies result;
  for (Index j = 0; j < gram.cols(); ++j) {
    const double* column = x.row(static_cast<std::size_t>(j));
    Index first = j;
    for (Index i = 0; first == j && i < j; ++i) {
      if (gram(i, j) == gram(j, j) && gram(i, i) == gram(j, j) &&
          std::equal(column, column + inner, x.row(static_cast<std::size_t>(i))))
        first = i;
    }
    const auto is_zero = [](double number) { return number == 0; };
    if (first == j && gram(j, j) == 0 && std::all_of(column, column + inner, is_zero)) first = zero;
    result.push_back(first < j && first != zero ? result[static_cast<std::size_t>(first)] : first);
  }
  return result;
}

std::optional<MatrixXd> summed_coordinates(const std::vector<SummedProduct>& products) {
  const Index columns = products.front().matrix.cols();
  MatrixXd gram = MatrixXd::Zero(columns, columns);
  for (const SummedProduct& product : products) add_gram(product, gram);
  gram.triangularView<Eigen::StrictlyLower>() = gram.transpose();
  return gram_factor(gram, equal_sums(products, columns));
}

}  // namespace nngpcheck::empirical
