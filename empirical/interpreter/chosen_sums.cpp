#include "nngpcheck/empirical/interpreter/chosen_sums.hpp"

#include <algorithm>

#include "nngpcheck/empirical/interpreter/costs.hpp"

namespace nngpcheck::empirical {

namespace {

void mark_rows(const netsor::SparseMatrix& matrix, std::vector<bool>& read) {
  read.resize(static_cast<std::size_t>(matrix.rows()), false);
  for (netsor::Index column = 0; column < matrix.cols(); ++column) {
    for (netsor::SparseMatrix::InnerIterator entry(matrix, column); entry; ++entry)
      read[static_cast<std::size_t>(entry.row())] = true;
  }
}

std::int64_t count(const std::vector<bool>& read) { return std::count(read.begin(), read.end(), true); }

class Choice {
 public:
  Choice(const netsor::Program& program, std::int64_t width, Products products,
         const std::vector<ProductSum>& sums)
      : program_(program), width_(width), products_(products) {
    for (const ProductSum& sum : sums) {
      for (const auto& [bundle, columns] : sources_of(sum)) ++readers_[bundle];
    }
  }

  bool operator()(const ProductSum& sum) const {
    if (sum.of_inputs()) return sum.terms.size() > 1;
    return is_determined(sum) && cost_at_once(sum) < cost_apart(sum);
  }

 private:
  std::int64_t height(std::size_t bundle) const {
    return program_.type(program_.bundle(bundle)).width.at(width_);
  }
  netsor::Index columns(std::size_t bundle) const { return program_.type(program_.bundle(bundle)).columns; }

  bool is_determined(const ProductSum& sum) const {
    std::int64_t dimension = 0;
    for (const ProductTerm& term : sum.terms) {
      std::vector<bool> read;
      mark_rows(first_matrix(term), read);
      dimension += std::min(height(term.bundle.index()), count(read));
    }
    return columns(sum.node) <= dimension;
  }

  // What several sums read is counted in parts.
  double cost_at_once(const ProductSum& sum) const {
    const auto to = static_cast<double>(columns(sum.node)), rows = static_cast<double>(height(sum.node));
    double result = to * to * to / 6 * pivot_cost + rows * to * (normal_cost + to / 2);
    for (const auto& [bundle, read] : sources_of(sum)) {
      const auto from = static_cast<double>(count(read));
      result += static_cast<double>(height(bundle)) * from * from / 2 / readers_.at(bundle);
    }
    for (const ProductTerm& term : sum.terms) {
      const auto from = static_cast<double>(first_matrix(term).rows());
      result += term.matrices.size() == 1 ? to * to / 2 * gather_cost : from * to * (from + to);
    }
    return result;
  }

  double cost_apart(const ProductSum& sum) const {
    struct Costs {
      double dense = 0, exact = 0;
    };
    std::map<std::size_t, Costs> costs;  // by bundle
    double result = 0;
    for (const ProductTerm& term : sum.terms) {
      const std::size_t bundle = term.bundle.index();
      const ExactProducts::Arguments of{height(bundle), columns(bundle), true, 0};
      const auto [known, added] = costs.try_emplace(bundle);
      if (added) known->second.exact = basis_cost(of) / readers_.at(bundle);
      known->second.exact += images_cost(height(sum.node), of);
      known->second.dense += dense_cost(height(sum.node), of);
      if (sum.terms.size() > 1) result += area(height(sum.node), columns(sum.node));
    }
    for (const auto& [bundle, cost] : costs)
      result += products_ == Products::exact ? cost.exact : std::min(cost.dense, cost.exact);
    return result;
  }

  const netsor::Program& program_;
  std::int64_t width_;
  Products products_;
  std::map<std::size_t, int> readers_;  // sums that read a bundle
};

}  // namespace

const netsor::SparseMatrix& first_matrix(const ProductTerm& term) {
  return *std::get<netsor::SharedSparse>(term.matrices.front());
}

std::map<std::size_t, std::vector<bool>> sources_of(const ProductSum& sum) {
  std::map<std::size_t, std::vector<bool>> result;
  if (sum.of_inputs()) return result;
  for (const ProductTerm& term : sum.terms) mark_rows(first_matrix(term), result[term.bundle.index()]);
  return result;
}

Sums chosen_sums(const netsor::Program& program, const std::vector<bool>& needed, std::int64_t width,
                 Products products) {
  Sums result;
  if (products == Products::dense) return result;
  const std::vector<ProductSum> sums = product_sums(program, needed);
  const Choice chosen(program, width, products, sums);
  for (const ProductSum& sum : sums) {
    if (chosen(sum)) result.emplace(sum.node, sum);
  }
  return result;
}

}  // namespace nngpcheck::empirical
