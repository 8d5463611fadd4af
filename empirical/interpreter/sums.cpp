// Sums of products at once, or their products one by one.
#include <algorithm>

#include "nngpcheck/empirical/exact/inner_products.hpp"
#include "nngpcheck/empirical/exact/summed_products.hpp"
#include "nngpcheck/empirical/interpreter/interpreter.hpp"
#include "nngpcheck/empirical/interpreter/products.hpp"

namespace nngpcheck::empirical {

namespace {

template <class T>
void gather(const at::Tensor& bundle, std::int64_t b, const std::vector<netsor::Index>& columns,
            double* target) {
  const at::Tensor x = bundle.select(1, b);
  const T* first = x.data_ptr<T>();
  for (const netsor::Index column : columns) {
    std::copy_n(first + column * x.stride(0), x.size(1), target);
    target += x.size(1);
  }
}

// Y += X M.
void add_mixed(Rows<const double> x, const netsor::SparseMatrix& matrix, std::size_t size, Rows<double> y) {
  for (netsor::Index column = 0; column < matrix.cols(); ++column) {
    double* to = y.row(static_cast<std::size_t>(column));
    for (netsor::SparseMatrix::InnerIterator entry(matrix, column); entry; ++entry) {
      const double* from = x.row(static_cast<std::size_t>(entry.row()));
      const double value = entry.value();
      for (std::size_t i = 0; i < size; ++i) to[i] += value * from[i];
    }
  }
}

}  // namespace

// Those columns of network b, side by side in float64: where they are, or copied.
Rows<const double> Interpreter::source_columns(const SourcePlan& source, const Region& room,
                                               std::int64_t b) const {
  const at::Tensor& x = bundle(source.bundle);
  const bool native = x.scalar_type() == at::kDouble;
  if (native && std::ssize(source.columns) == x.size(0)) return columns_of(x, b);
  double* target = share(room, b);
  if (native)
    gather<double>(x, b, source.columns, target);
  else
    gather<float>(x, b, source.columns, target);
  return {target, static_cast<std::size_t>(x.size(2)), source.columns.size()};
}

Eigen::Map<Eigen::MatrixXd> Interpreter::source_gram(const SourcePlan& source, std::int64_t b) const {
  return {share(source.gram, b), std::ssize(source.columns), std::ssize(source.columns)};
}

// X and what is known of it, when the first sum reads it.
void Interpreter::read_source(std::size_t index, const Region& room) {
  const SourcePlan& source = schedule_.sources[index];
  const auto inner = static_cast<std::size_t>(bundle(source.bundle).size(2));
  copies_[index].clear();
  for (std::int64_t b = 0; b < networks_.count; ++b) {
    const Rows<const double> x = source_columns(source, room, b);
    const Eigen::MatrixXd gram = inner_products(x, x, inner);
    copies_[index].push_back(equal_columns(x, inner, gram));
    source_gram(source, b) = gram;
  }
}

netsor::SparseMatrix Interpreter::matrix(const ProductTerm& term, std::int64_t b) const {
  const auto network = static_cast<std::size_t>(b);
  Eigen::MatrixXd result =
      Eigen::MatrixXd::Identity(std::get<netsor::SharedSparse>(term.matrices.front())->rows(),
                                std::get<netsor::SharedSparse>(term.matrices.front())->rows());
  for (const ProductTerm::Matrix& factor : term.matrices) {
    result = std::visit(netsor::Overloaded{
                            [&](const netsor::SharedSparse& m) -> Eigen::MatrixXd { return result * *m; },
                            [&](const netsor::LinearTerm::Table& t) -> Eigen::MatrixXd {
                              return result * table(t.id)[network];
                            },
                            [&](const netsor::LinearTerm::Diagonal& t) -> Eigen::MatrixXd {
                              return result * table(t.id)[network].row(0).asDiagonal();
                            },
                        },
                        factor);
  }
  return result.sparseView();
}

void Interpreter::draw_sum(const SumPlan& plan, std::int64_t b, Rows<double> y) {
  std::vector<netsor::SharedSparse> matrices;
  std::vector<SummedProduct> products;
  for (std::size_t k = 0; k < plan.sources.size(); ++k) {
    const ProductTerm& term = plan.sum.terms[k];
    const std::size_t source = plan.sources[k];
    matrices.push_back(term.matrices.size() == 1
                           ? std::get<netsor::SharedSparse>(term.matrices.front())
                           : std::make_shared<const netsor::SparseMatrix>(matrix(term, b)));
    products.push_back({random_object(program_[term.weight], networks_.width).deviation,
                        source_gram(schedule_.sources[source], b),
                        copies_[source][static_cast<std::size_t>(b)], *matrices.back()});
  }
  const RandomObject first = random_object(program_[plan.sum.terms.front().weight], networks_.width);
  if (const std::optional<Eigen::MatrixXd> c = summed_coordinates(products))
    combine_images({sum_stream(first, networks_, b), first.rows, 1, nullptr, nullptr}, 0, *c, y);
  else
    draw_apart(plan, matrices, b, y);
}

// Products of the same X share its coordinates.
void Interpreter::draw_apart(const SumPlan& plan, const std::vector<netsor::SharedSparse>& matrices,
                             std::int64_t b, Rows<double> y) {
  std::map<std::size_t, std::vector<std::size_t>> terms;  // by source
  for (std::size_t k = 0; k < plan.sources.size(); ++k) terms[plan.sources[k]].push_back(k);
  const auto rows =
      static_cast<std::size_t>(program_[plan.sum.terms.front().weight].rows.at(networks_.width));
  for (std::size_t j = 0; j < y.count; ++j) std::fill_n(y.row(j), rows, 0.0);
  for (const auto& [index, members] : terms) {
    const SourcePlan& source = schedule_.sources[index];
    const Rows<const double> x = source_columns(source, plan.argument, b);
    std::vector<GaussianMatrix> weights;
    for (const std::size_t k : members) {
      const RandomObject object = random_object(program_[plan.sum.terms[k].weight], networks_.width);
      weights.push_back(
          {exact_stream(object, networks_, b), object.rows, object.deviation, nullptr, nullptr});
    }
    const auto uses = std::ssize(source.columns);
    ExactProducts products({bundle(source.bundle).size(2), uses, true, uses + 1}, share(plan.basis, b),
                           std::move(weights));
    const Rows<double> image{share(plan.image, b), rows, x.count};
    for (std::size_t member = 0; member < members.size(); ++member) {
      products.apply(member, 0, x, image);
      add_mixed(image, *matrices[members[member]], rows, y);
    }
  }
}

void Interpreter::run_sum(const SumPlan& plan, at::Tensor& result) {
  for (const std::size_t source : std::set(plan.sources.begin(), plan.sources.end())) {
    if (schedule_.sources[source].first_step == step_) read_source(source, plan.argument);
  }
  const at::Tensor y = native_result(plan.native, result);
  for (std::int64_t b = 0; b < networks_.count; ++b) draw_sum(plan, b, columns_of(y, b));
  if (!y.is_same(result)) result.copy_(y);
  add_terms(plan.sum.rest, true, result);
}

}  // namespace nngpcheck::empirical
