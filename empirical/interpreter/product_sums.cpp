#include "nngpcheck/empirical/interpreter/product_sums.hpp"

#include <algorithm>

namespace nngpcheck::empirical {

namespace {

using netsor::LinearTerm;
using netsor::Overloaded;
using netsor::SharedSparse;
using netsor::SparseMatrix;
using Matrices = std::vector<ProductTerm::Matrix>;

SharedSparse shared(SparseMatrix matrix) { return std::make_shared<const SparseMatrix>(std::move(matrix)); }

SparseMatrix identity(netsor::Index columns) {
  SparseMatrix result(columns, columns);
  result.setIdentity();
  return result;
}

// A M, for an instruction with so many columns that reads X as X A.
Matrices times(const LinearTerm::Matrix& a, netsor::Index argument, netsor::Index columns, Matrices m) {
  const auto times_constant = [&](const SharedSparse& constant) {
    if (!m.empty() && std::holds_alternative<SharedSparse>(m.front()))
      m.front() = shared(*constant * *std::get<SharedSparse>(m.front()));
    else
      m.insert(m.begin(), constant);
  };
  std::visit(Overloaded{
                 [&](double c) {
                   if (argument != columns)
                     times_constant(shared(c * Eigen::RowVectorXd::Ones(columns).sparseView()));
                   else if (c != 1)
                     times_constant(shared(c * identity(columns)));
                 },
                 times_constant,
                 [&](const LinearTerm::Table& table) { m.insert(m.begin(), table); },
                 [&](const LinearTerm::Diagonal& table) { m.insert(m.begin(), table); },
             },
             a);
  return m;
}

class Finder {
 public:
  Finder(const netsor::Program& program, const std::vector<bool>& needed)
      : program_(program),
        needed_(needed),
        readers_(needed.size(), 0),
        uses_(program.weights().size(), 0),
        made_of_(needed.size()) {
    for (std::size_t node = 0; node < needed.size(); ++node) {
      if (!needed[node]) continue;
      for (const std::size_t operand : netsor::operands(operation(node))) ++readers_[operand];
      if (const auto* product = std::get_if<netsor::MatMul>(&operation(node)))
        ++uses_[product->weight.index()];
    }
    for (const netsor::BundleId block : program.output().blocks) ++readers_[block.index()];
    for (std::size_t node = 0; node < needed.size(); ++node)
      made_of_[node] = needed[node] && is_made_of(node);
  }

  std::vector<ProductSum> find() const {
    std::vector<ProductSum> result;
    std::vector<bool> inside(made_of_.size(), false);
    for (std::size_t node = made_of_.size(); node-- > 0;) {
      const auto* sum = std::get_if<netsor::Add>(&operation(node));
      if (!needed_[node] || !(made_of_[node] || sum)) continue;
      for (const std::size_t operand : netsor::operands(operation(node))) inside[operand] = is_part(operand);
      if (inside[node]) continue;
      if (made_of_[node])
        result.push_back({node, terms_of({{node, {}}}), {}});
      else
        add_part(node, *sum, result);
    }
    std::reverse(result.begin(), result.end());
    return result;
  }

 private:
  struct Part {
    std::size_t node;
    Matrices matrices;
  };

  const netsor::Operation& operation(std::size_t node) const { return program_.nodes()[node].operation; }
  netsor::Index columns(std::size_t node) const { return program_.type(program_.bundle(node)).columns; }

  // Of products whose weights are used once, and of nothing else.
  bool is_made_of(std::size_t node) const {
    if (const auto* product = std::get_if<netsor::MatMul>(&operation(node)))
      return uses_[product->weight.index()] == 1;
    if (netsor::form(operation(node)) != netsor::Form::linear) return false;
    const std::vector<LinearTerm> terms = netsor::linear_terms(operation(node));
    return std::all_of(terms.begin(), terms.end(),
                       [&](const LinearTerm& term) { return is_part(term.bundle.index()); });
  }

  bool is_part(std::size_t node) const { return made_of_[node] && readers_[node] == 1; }

  // Those terms of a sum that are made of products.
  void add_part(std::size_t node, const netsor::Add& sum, std::vector<ProductSum>& result) const {
    std::vector<Part> parts;
    std::vector<netsor::Add::Term> rest;
    for (const netsor::Add::Term& term : sum.terms) {
      const std::size_t operand = term.bundle.index();
      if (is_part(operand))
        parts.push_back({operand, times(term.coefficient, columns(operand), columns(node), {})});
      else
        rest.push_back(term);
    }
    if (!parts.empty()) result.push_back({node, terms_of(std::move(parts)), std::move(rest)});
  }

  // In the order of the program; without recursion, for it may be deep.
  std::vector<ProductTerm> terms_of(std::vector<Part> parts) const {
    std::vector<ProductTerm> result;
    std::reverse(parts.begin(), parts.end());
    while (!parts.empty()) {
      const auto [node, matrices] = std::move(parts.back());
      parts.pop_back();
      if (const auto* product = std::get_if<netsor::MatMul>(&operation(node))) {
        result.push_back(term(*product, matrices));
        continue;
      }
      const std::vector<LinearTerm> terms = netsor::linear_terms(operation(node));
      for (auto next = terms.rbegin(); next != terms.rend(); ++next) {
        const std::size_t operand = next->bundle.index();
        parts.push_back({operand, times(next->matrix, columns(operand), columns(node), matrices)});
      }
    }
    return result;
  }

  // Mixes of columns that make no fewer of them become part of M.
  ProductTerm term(const netsor::MatMul& product, Matrices matrices) const {
    std::size_t argument = product.argument.index();
    for (const netsor::Mix* mix; (mix = std::get_if<netsor::Mix>(&operation(argument))) &&
                                 columns(mix->argument.index()) <= columns(argument);
         argument = mix->argument.index())
      matrices = times(mix->matrix, mix->matrix->rows(), mix->matrix->cols(), std::move(matrices));
    if (matrices.empty() || !std::holds_alternative<SharedSparse>(matrices.front()))
      matrices.insert(matrices.begin(), shared(identity(columns(argument))));
    return {product.weight, program_.bundle(argument), std::move(matrices)};
  }

  const netsor::Program& program_;
  const std::vector<bool>& needed_;
  std::vector<int> readers_, uses_;  // by instruction; by weight
  std::vector<bool> made_of_;        // by instruction
};

}  // namespace

std::vector<ProductSum> product_sums(const netsor::Program& program, const std::vector<bool>& needed) {
  return Finder(program, needed).find();
}

}  // namespace nngpcheck::empirical
