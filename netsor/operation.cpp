#include "nngpcheck/netsor/operation.hpp"

#include <algorithm>
#include <functional>
#include <span>

#include "nngpcheck/netsor/error.hpp"
#include "nngpcheck/netsor/passes/traits.hpp"
#include "nngpcheck/netsor/program.hpp"

namespace nngpcheck::netsor {

namespace {

// ---- Equality of parts ----

template <class Part>
bool same(const Part& left, const Part& right) {
  return left == right;
}

bool same(const SharedMatrix& left, const SharedMatrix& right) {
  if (left == right) return true;
  return left && right && left->rows() == right->rows() && left->cols() == right->cols() && *left == *right;
}

bool same(const SharedSparse& left, const SharedSparse& right) {
  if (left == right) return true;
  if (left->rows() != right->rows() || left->cols() != right->cols() ||
      left->nonZeros() != right->nonZeros()) {
    return false;
  }
  const auto count = left->nonZeros();
  return std::equal(left->outerIndexPtr(), left->outerIndexPtr() + left->cols() + 1,
                    right->outerIndexPtr()) &&
         std::equal(left->innerIndexPtr(), left->innerIndexPtr() + count, right->innerIndexPtr()) &&
         std::equal(left->valuePtr(), left->valuePtr() + count, right->valuePtr());
}

bool same(const TableFunction& left, const TableFunction& right) {
  if (left.index() != right.index()) return false;
  return std::visit(Overloaded{
                        [&](const SoftmaxKeys& f) { return same(f.mask, std::get<SoftmaxKeys>(right).mask); },
                        [&](const Rsqrt& f) { return f.epsilon == std::get<Rsqrt>(right).epsilon; },
                        [](const Transpose&) { return true; },
                        [](const Diagonal&) { return true; },
                        [&](const Sum& f) { return f.coefficients == std::get<Sum>(right).coefficients; },
                        [](const Product&) { return true; },
                    },
                    left);
}

// ---- Hashes of parts ----

class Hash {
 public:
  template <class T>
  void add(const T& value) {
    state_ ^= std::hash<T>{}(value) + 0x9e3779b97f4a7c15U + (state_ << 6) + (state_ >> 2);
  }
  template <class Kind>
  void add(Id<Kind> id) {
    add(id.index());
  }
  void add(const Width& width) { add(width.ratio()); }
  void add(const Activation& function) { add(function.hash()); }
  void add(const Function& function) { add(function.hash()); }
  void add(const TableFunction& function) { add(function.index()); }
  void add(const Add::Term& term) {
    add(term.coefficient);
    add(term.bundle);
  }
  template <class T>
  void add(const std::vector<T>& list) {
    for (const T& element : list) add(element);
  }
  void add(const SharedMatrix& matrix) {
    add(std::span(matrix->data(), static_cast<std::size_t>(matrix->size())));
  }
  void add(const SharedSparse& matrix) {
    const auto count = static_cast<std::size_t>(matrix->nonZeros());
    for (std::size_t k = 0; k < count; ++k) add(matrix->innerIndexPtr()[k]);
    add(std::span(matrix->valuePtr(), count));
  }
  std::size_t value() const { return state_; }

 private:
  void add(std::span<const double> values) {
    for (const double value : values) add(value);
  }

  std::size_t state_ = 0;
};

}  // namespace

Function::Function(Data data) {
  if (data.name.empty()) throw ProgramError("function: it needs a name, by which programs print it");
  const std::string what = "function \"" + data.name + "\": ";
  if (!data.callable) throw ProgramError(what + "it is empty; give one that can be called");
  if (data.arguments < 1) throw ProgramError(what + "it takes no arguments; give at least one");
  data_ = std::make_shared<const Data>(std::move(data));
}

Function::Function(std::string name, std::size_t arguments, Callable callable)
    : Function(Data{std::move(name), arguments, std::move(callable), {}}) {}

Function::Function(std::string name, const Expression& expression)
    : Function(Data{std::move(name), expression.variables().size(), expression, expression}) {}

std::size_t Function::hash() const {
  return data_->expression ? data_->expression->hash() : std::hash<const void*>()(data_.get());
}

bool operator==(const Function& left, const Function& right) {
  if (left.data_ == right.data_) return true;
  const auto &a = left.expression(), &b = right.expression();
  return a && b && a->variables().size() == b->variables().size() && *a == *b;
}

bool same(const Operation& left, const Operation& right) {
  if (left.index() != right.index()) return false;
  return std::visit(
      [&]<class Op>(const Op& op) {
        const auto all_same = [&](const auto&... part) {
          return std::apply([&](const auto&... other) { return (same(part.member, other.member) && ...); },
                            Traits<Op>::parts(std::get<Op>(right)));
        };
        return std::apply(all_same, Traits<Op>::parts(op));
      },
      left);
}

std::size_t hash(const Operation& operation) {
  Hash result;
  result.add(operation.index());
  for_each_part(operation, [&](const auto& part) { result.add(part.member); });
  return result.value();
}

}  // namespace nngpcheck::netsor
