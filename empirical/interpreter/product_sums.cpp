#include "nngpcheck/empirical/interpreter/product_sums.hpp"

#include <algorithm>
#include <map>

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

// What an instruction is made of, and nothing else: products with weights that are used once, products of
// input weights with constants, or anything.
enum class MadeOf { products, inputs, others };

class Finder {
 public:
  Finder(const netsor::Program& program, const std::vector<bool>& needed)
      : program_(program),
        needed_(needed),
        readers_(needed.size(), 0),
        made_of_(needed.size(), MadeOf::others) {
    for (std::size_t node = 0; node < needed.size(); ++node) {
      if (!needed[node]) continue;
      for (const std::size_t operand : netsor::operands(operation(node))) ++readers_[operand];
      if (const auto object = netsor::random_object(operation(node))) ++uses_[*object];
    }
    for (const netsor::BundleId block : program.output().blocks) ++readers_[block.index()];
    for (std::size_t node = 0; node < needed.size(); ++node) {
      if (needed[node]) made_of_[node] = made_of(node);
    }
  }

  std::vector<ProductSum> find() const {
    std::vector<ProductSum> result;
    std::vector<bool> inside(made_of_.size(), false);
    for (std::size_t node = made_of_.size(); node-- > 0;) {
      if (!needed_[node]) continue;
      std::vector<Part> parts;
      std::vector<netsor::Add::Term> rest;
      if (made_of_[node] != MadeOf::others) {
        if (netsor::form(operation(node)) == netsor::Form::linear) {
          for (const std::size_t operand : netsor::operands(operation(node)))
            inside[operand] = is_part(operand);
        }
        parts = {{node, {}}};
      } else if (const auto* sum = std::get_if<netsor::Add>(&operation(node))) {
        split(node, *sum, parts, rest);
        for (const Part& part : parts) inside[part.node] = true;
      }
      if (!parts.empty() && !inside[node])
        result.push_back({node, terms_of(std::move(parts)), std::move(rest)});
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

  MadeOf made_of(std::size_t node) const {
    if (const auto* product = std::get_if<netsor::MatMul>(&operation(node)))
      return uses_.at(product->weight) == 1 ? MadeOf::products : MadeOf::others;
    if (const auto* input = std::get_if<netsor::Input>(&operation(node)))
      return uses_.at(input->weight) == 1 ? MadeOf::inputs : MadeOf::others;
    if (netsor::form(operation(node)) != netsor::Form::linear) return MadeOf::others;
    const std::vector<LinearTerm> terms = netsor::linear_terms(operation(node));
    const MadeOf first = made_of_[terms.front().bundle.index()];
    const bool alike = std::all_of(terms.begin(), terms.end(), [&](const LinearTerm& term) {
      return is_part(term.bundle.index()) && made_of_[term.bundle.index()] == first;
    });
    const bool constant = netsor::table_operands(operation(node)).empty();
    return alike && (constant || first == MadeOf::products) ? first : MadeOf::others;
  }

  bool is_part(std::size_t node) const { return made_of_[node] != MadeOf::others && readers_[node] == 1; }

  // Terms that are made of products, or if there are none, of inputs; and the others.
  void split(std::size_t node, const netsor::Add& sum, std::vector<Part>& parts,
             std::vector<netsor::Add::Term>& rest) const {
    const auto are = [&](MadeOf what) {
      return [this, what](const netsor::Add::Term& term) {
        return is_part(term.bundle.index()) && made_of_[term.bundle.index()] == what;
      };
    };
    const bool products = std::any_of(sum.terms.begin(), sum.terms.end(), are(MadeOf::products));
    for (const netsor::Add::Term& term : sum.terms) {
      const std::size_t operand = term.bundle.index();
      if (are(products ? MadeOf::products : MadeOf::inputs)(term))
        parts.push_back({operand, times(term.coefficient, columns(operand), columns(node), {})});
      else
        rest.push_back(term);
    }
  }

  // In the order of the program; without recursion, for it may be deep.
  std::vector<ProductTerm> terms_of(std::vector<Part> parts) const {
    std::vector<ProductTerm> result;
    std::reverse(parts.begin(), parts.end());
    while (!parts.empty()) {
      const auto [node, matrices] = std::move(parts.back());
      parts.pop_back();
      if (netsor::form(operation(node)) == netsor::Form::source) {
        result.push_back(term(node, matrices));
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

  // Of a product; mixes of its argument that make no fewer columns become part of M.
  ProductTerm term(std::size_t node, Matrices matrices) const {
    std::size_t bundle = node;
    ProductTerm result{netsor::WeightId(0, 0), program_.bundle(node), {}};
    if (const auto* product = std::get_if<netsor::MatMul>(&operation(node))) {
      result.weight = product->weight;
      bundle = product->argument.index();
      for (const netsor::Mix* mix; (mix = std::get_if<netsor::Mix>(&operation(bundle))) &&
                                   columns(mix->argument.index()) <= columns(bundle);
           bundle = mix->argument.index())
        matrices = times(mix->matrix, mix->matrix->rows(), mix->matrix->cols(), std::move(matrices));
    } else {
      result.weight = std::get<netsor::Input>(operation(node)).weight;
    }
    if (matrices.empty() || !std::holds_alternative<SharedSparse>(matrices.front()))
      matrices.insert(matrices.begin(), shared(identity(columns(bundle))));
    result.bundle = program_.bundle(bundle);
    result.matrices = std::move(matrices);
    return result;
  }

  const netsor::Program& program_;
  const std::vector<bool>& needed_;
  std::vector<int> readers_;  // by instruction
  std::map<netsor::RandomObject, int> uses_;
  std::vector<MadeOf> made_of_;  // by instruction
};

}  // namespace

std::vector<ProductSum> product_sums(const netsor::Program& program, const std::vector<bool>& needed) {
  return Finder(program, needed).find();
}

}  // namespace nngpcheck::empirical
