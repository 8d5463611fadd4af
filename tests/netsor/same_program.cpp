#include "tests/netsor/same_program.hpp"

#include <tuple>

#include "nngpcheck/netsor/passes/traits.hpp"

namespace nngpcheck::testing {

using namespace netsor;

namespace {

template <class T>
bool equal(const T& a, const T& b) {
  return a == b;
}
template <class Kind>
bool equal(const Id<Kind>& a, const Id<Kind>& b) {
  return a.index() == b.index();
}
bool equal(const Add::Term& a, const Add::Term& b) {
  return a.coefficient == b.coefficient && equal(a.bundle, b.bundle);
}
template <class T>
bool equal(const std::vector<T>& a, const std::vector<T>& b) {
  if (a.size() != b.size()) return false;
  for (std::size_t k = 0; k < a.size(); ++k)
    if (!equal(a[k], b[k])) return false;
  return true;
}
bool equal(const Activation& a, const Activation& b) {
  return a == b && a.name() == b.name() && a.kinks() == b.kinks() && a.domain() == b.domain();
}
bool equal(const Function& a, const Function& b) { return a == b && a.name() == b.name(); }
bool equal(const SharedMatrix& a, const SharedMatrix& b) {
  return !a || !b ? a == b : a->rows() == b->rows() && a->cols() == b->cols() && *a == *b;
}
bool equal(const SharedSparse& a, const SharedSparse& b) {
  return a->rows() == b->rows() && a->nonZeros() == b->nonZeros() &&
         Eigen::MatrixXd(*a) == Eigen::MatrixXd(*b);
}
bool equal(const TableFunction& a, const TableFunction& b) {
  if (a.index() != b.index()) return false;
  return std::visit(
      Overloaded{[&](const SoftmaxKeys& f) { return equal(f.mask, std::get<SoftmaxKeys>(b).mask); },
                 [&](const Rsqrt& f) { return f.epsilon == std::get<Rsqrt>(b).epsilon; },
                 [&](const Sum& f) { return f.coefficients == std::get<Sum>(b).coefficients; },
                 [](const auto&) { return true; }},
      a);
}

bool equal(const Operation& a, const Operation& b) {
  if (a.index() != b.index()) return false;
  return std::visit(
      [&]<class Op>(const Op& op) {
        const auto all = [&](const auto&... part) {
          return std::apply([&](const auto&... other) { return (equal(part.member, other.member) && ...); },
                            Traits<Op>::parts(std::get<Op>(b)));
        };
        return std::apply(all, Traits<Op>::parts(op));
      },
      a);
}

auto values(const InputWeight& w) { return std::tuple(w.name, w.width.text(), w.inputs, w.variance); }
auto values(const Weight& w) { return std::tuple(w.name, w.rows.text(), w.columns.text(), w.variance); }
auto values(const Bias& b) { return std::tuple(b.name, b.width.text(), b.variance, b.mean); }
auto values(const Readout& r) { return std::tuple(r.name, r.variance); }

template <class Object>
bool equal_objects(const std::vector<Object>& a, const std::vector<Object>& b) {
  if (a.size() != b.size()) return false;
  for (std::size_t k = 0; k < a.size(); ++k)
    if (values(a[k]) != values(b[k])) return false;
  return true;
}

bool equal(const Type& a, const Type& b) {
  if (a.index() != b.index()) return false;
  if (const auto* x = std::get_if<BundleType>(&a)) {
    const auto& y = std::get<BundleType>(b);
    return x->width == y.width && x->columns == y.columns && x->gaussian == y.gaussian;
  }
  const auto &x = std::get<TableType>(a), &y = std::get<TableType>(b);
  return x.rows == y.rows && x.columns == y.columns;
}

bool equal_origins(const Origin* a, const Origin* b) {
  if (!a || !b) return a == b;
  if (a->layer != b->layer || a->labels.size() != b->labels.size()) return false;
  for (std::size_t k = 0; k < a->labels.size(); ++k)
    if (*a->labels[k] != *b->labels[k]) return false;
  return true;
}

}  // namespace

std::string difference(const Program& left, const Program& right) {
  if (!equal_objects(left.input_weights(), right.input_weights())) return "input weights";
  if (!equal_objects(left.weights(), right.weights())) return "weights";
  if (!equal_objects(left.biases(), right.biases())) return "biases";
  if (values(left.readout()) != values(right.readout())) return "readout";
  if (left.nodes().size() != right.nodes().size()) return "number of instructions";
  for (std::size_t k = 0; k < left.nodes().size(); ++k) {
    const Node &a = left.nodes()[k], &b = right.nodes()[k];
    if (!equal(a.operation, b.operation)) return "instruction " + left.name(k);
    if (!equal(a.type, b.type)) return "type of " + left.name(k);
    if (!equal_origins(a.origin.get(), b.origin.get())) return "origin of " + left.name(k);
  }
  if (!equal(left.output().blocks, right.output().blocks)) return "blocks of the output";
  return left.output().labels == right.output().labels ? "" : "labels";
}

}  // namespace nngpcheck::testing
