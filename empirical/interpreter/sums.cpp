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

// M, in network b.
netsor::SharedSparse Interpreter::matrix(const ProductTerm& term, std::int64_t b) const {
  const auto& first = std::get<netsor::SharedSparse>(term.matrices.front());
  if (term.matrices.size() == 1) return first;
  Eigen::MatrixXd result = *first;
  for (std::size_t k = 1; k < term.matrices.size(); ++k) {
    const auto table = [&](netsor::TableId id) -> const Eigen::MatrixXd& {
      return this->table(id)[static_cast<std::size_t>(b)];
    };
    result = std::visit(
        netsor::Overloaded{
            [&](const netsor::SharedSparse& m) -> Eigen::MatrixXd { return result * *m; },
            [&](const netsor::LinearTerm::Table& t) -> Eigen::MatrixXd { return result * table(t.id); },
            [&](const netsor::LinearTerm::Diagonal& t) -> Eigen::MatrixXd {
              return result * table(t.id).row(0).asDiagonal();
            },
        },
        term.matrices[k]);
  }
  return std::make_shared<const netsor::SparseMatrix>(result.sparseView());
}

RandomObject Interpreter::object(const ProductTerm& term) const {
  return std::visit([&](const auto& weight) { return random_object(program_[weight], schedule_.width); },
                    term.weight);
}

// Of the columns of Σ_k U_k D_k M_k, in a basis of those of the D_k M_k times the deviations, stacked.
Eigen::MatrixXd Interpreter::input_sum_coordinates(const ProductSum& sum) const {
  if (!sum.of_inputs()) return {};
  const auto data = [&](const ProductTerm& term) -> const Eigen::MatrixXd& {
    return *std::get<netsor::Input>(program_[term.bundle].operation).data;
  };
  Eigen::Index rows = 0;
  for (const ProductTerm& term : sum.terms) rows += data(term).rows();
  const Eigen::Index columns = std::get<netsor::BundleType>(program_.nodes()[sum.node].type).columns;
  Eigen::MatrixXd stacked(rows, columns);
  rows = 0;
  for (const ProductTerm& term : sum.terms) {
    const Eigen::MatrixXd& d = data(term);
    stacked.middleRows(rows, d.rows()) =
        object(term).deviation * (d * *std::get<netsor::SharedSparse>(term.matrices.front()));
    rows += d.rows();
  }
  std::vector<double> storage(static_cast<std::size_t>(GramSchmidt::storage_size(rows, columns)));
  return Coordinates(storage.data(), rows, columns, {})
      .of({stacked.data(), static_cast<std::size_t>(rows), static_cast<std::size_t>(columns)});
}

void Interpreter::draw_sum(std::size_t sum, std::int64_t b, Rows<double> y) {
  const SumPlan& plan = schedule_.sums[sum];
  const RandomObject first = object(plan.sum.terms.front());
  const auto draw = [&](const Eigen::MatrixXd& c) {
    combine_images({sum_stream(first, networks_, b), first.rows, 1, nullptr, nullptr}, 0, c, y);
  };
  if (plan.sum.of_inputs()) return draw(input_sums_[sum]);
  std::vector<netsor::SharedSparse> matrices;
  std::vector<SummedProduct> products;
  for (std::size_t k = 0; k < plan.sources.size(); ++k) {
    const ProductTerm& term = plan.sum.terms[k];
    const std::size_t source = plan.sources[k];
    matrices.push_back(matrix(term, b));
    products.push_back({object(term).deviation, source_gram(schedule_.sources[source], b),
                        copies_[source][static_cast<std::size_t>(b)], *matrices.back()});
  }
  if (const std::optional<Eigen::MatrixXd> c = summed_coordinates(products))
    draw(*c);
  else
    draw_apart(plan, matrices, b, y);
}

// Products of the same X share its coordinates.
void Interpreter::draw_apart(const SumPlan& plan, const std::vector<netsor::SharedSparse>& matrices,
                             std::int64_t b, Rows<double> y) {
  std::map<std::size_t, std::vector<std::size_t>> terms;  // by source
  for (std::size_t k = 0; k < plan.sources.size(); ++k) terms[plan.sources[k]].push_back(k);
  const auto rows = static_cast<std::size_t>(object(plan.sum.terms.front()).rows);
  for (std::size_t j = 0; j < y.count; ++j) std::fill_n(y.row(j), rows, 0.0);
  for (const auto& [index, members] : terms) {
    const SourcePlan& source = schedule_.sources[index];
    const Rows<const double> x = source_columns(source, plan.argument, b);
    std::vector<GaussianMatrix> weights;
    for (const std::size_t k : members) {
      const RandomObject weight = object(plan.sum.terms[k]);
      weights.push_back(
          {exact_stream(weight, networks_, b), weight.rows, weight.deviation, nullptr, nullptr});
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

void Interpreter::run_sum(std::size_t sum, at::Tensor& result) {
  const SumPlan& plan = schedule_.sums[sum];
  for (const std::size_t source : std::set(plan.sources.begin(), plan.sources.end())) {
    if (schedule_.sources[source].first_step == step_) read_source(source, plan.argument);
  }
  const at::Tensor y = native_result(plan.native, result);
  for (std::int64_t b = 0; b < networks_.count; ++b) draw_sum(sum, b, columns_of(y, b));
  if (!y.is_same(result)) result.copy_(y);
  add_terms(plan.sum.rest, true, result);
}

}  // namespace nngpcheck::empirical
