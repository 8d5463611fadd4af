#include "nngpcheck/analytic/rules/table_function.hpp"

#include <cmath>
#include <limits>
#include <string>

#include "nngpcheck/analytic/error.hpp"
#include "nngpcheck/analytic/uncertain.hpp"
#include "nngpcheck/netsor/program.hpp"

namespace nngpcheck::analytic {

namespace {

using Eigen::Index;

// A perturbation of all logits by at most δ multiplies each weight by at most e^{±2δ}.
UncertainMatrix softmax_keys(const netsor::SoftmaxKeys& f, const UncertainMatrix& t) {
  UncertainMatrix result{Eigen::MatrixXd::Zero(t.value.rows(), t.value.cols()), t.bound};
  for (Index query = 0; query < t.value.cols(); ++query) {
    const auto kept = [&](Index key) { return !f.mask || (*f.mask)(key, query) != 0; };
    double largest = -std::numeric_limits<double>::infinity();
    double error = 0;
    for (Index key = 0; key < t.value.rows(); ++key) {
      if (!kept(key)) continue;
      largest = std::max(largest, t.value(key, query));
      error = std::max(error, t.bound(key, query));
    }
    double sum = 0;
    for (Index key = 0; key < t.value.rows(); ++key) {
      if (kept(key)) sum += result.value(key, query) = std::exp(t.value(key, query) - largest);
    }
    result.value.col(query) /= sum;
    const double rounding = epsilon * (static_cast<double>(t.value.rows()) + 2 * std::abs(largest) + 4);
    result.bound.col(query) = (std::expm1(2 * error) + rounding) * result.value.col(query);
  }
  return result;
}

UncertainMatrix rsqrt(const netsor::Rsqrt& f, const UncertainMatrix& t) {
  UncertainMatrix result = t;
  for (Index j = 0; j < t.value.cols(); ++j) {
    for (Index i = 0; i < t.value.rows(); ++i) {
      const double argument = t.value(i, j) + f.epsilon;
      if (!(argument > t.bound(i, j))) {
        throw LimitError(
            "1/√(t + " + std::to_string(f.epsilon) + ") at entry (" + std::to_string(i) + ", " +
                std::to_string(j) + "), where t is " + std::to_string(t.value(i, j)) +
                " in the limit: not continuous there; use an epsilon > 0, or leave this input out",
            {j});
      }
      result.value(i, j) = 1 / std::sqrt(argument);
      result.bound(i, j) =
          result.value(i, j) * (0.5 * t.bound(i, j) / (argument - t.bound(i, j)) + 2 * epsilon);
    }
  }
  return result;
}

UncertainMatrix sum(const netsor::Sum& f, const std::vector<const UncertainMatrix*>& arguments) {
  UncertainMatrix result{Eigen::MatrixXd::Zero(arguments[0]->value.rows(), arguments[0]->value.cols()), {}};
  result.bound = result.value;
  for (std::size_t k = 0; k < arguments.size(); ++k) {
    const double c = f.coefficients[k];
    result.value += c * arguments[k]->value;
    result.bound += std::abs(c) * (arguments[k]->bound + 2 * epsilon * arguments[k]->value.cwiseAbs());
  }
  return result;
}

UncertainMatrix product(const std::vector<const UncertainMatrix*>& arguments) {
  UncertainMatrix result = *arguments[0];
  for (std::size_t k = 1; k < arguments.size(); ++k) {
    const UncertainMatrix& t = *arguments[k];
    result.bound = (result.bound.array() * (t.value.array().abs() + t.bound.array()) +
                    result.value.array().abs() * (t.bound.array() + epsilon * t.value.array().abs()))
                       .matrix()
                       .eval();
    result.value.array() *= t.value.array();
  }
  return result;
}

// dw = w ⊙ (dt - wᵀdt) in each column.
Directions push_softmax(const Eigen::MatrixXd& weights, const Directions& change) {
  Directions result(change.rows(), change.cols());
  const Index keys = weights.rows();
  for (Index query = 0; query < weights.cols(); ++query) {
    const Eigen::VectorXd w = weights.col(query);
    const Eigen::MatrixXd d = change.middleRows(query * keys, keys);
    result.middleRows(query * keys, keys) = w.asDiagonal() * (d.rowwise() - w.transpose() * d);
  }
  return result;
}

Directions push_product(const std::vector<const UncertainMatrix*>& arguments,
                        const std::vector<const Directions*>& changes, Directions result) {
  for (std::size_t k = 0; k < arguments.size(); ++k) {
    if (!changes[k]) continue;
    Eigen::ArrayXd others = Eigen::ArrayXd::Ones(result.rows());
    for (std::size_t l = 0; l < arguments.size(); ++l) {
      if (l != k) others *= arguments[l]->value.reshaped().array();
    }
    result += others.matrix().asDiagonal() * *changes[k];
  }
  return result;
}

// The places, in the order of memory, of what becomes the entries of Tᵀ or the diagonal of T.
std::vector<Index> places(const netsor::TableFunction& function, Index rows, Index columns) {
  std::vector<Index> result;
  if (std::holds_alternative<netsor::Diagonal>(function)) {
    for (Index i = 0; i < rows; ++i) result.push_back(i * rows + i);
  } else {
    for (Index i = 0; i < rows; ++i) {
      for (Index j = 0; j < columns; ++j) result.push_back(j * rows + i);
    }
  }
  return result;
}

}  // namespace

UncertainMatrix apply(const netsor::TableFunction& function,
                      const std::vector<const UncertainMatrix*>& arguments) {
  const UncertainMatrix& first = *arguments.front();
  return std::visit(
      netsor::Overloaded{
          [&](const netsor::SoftmaxKeys& f) { return softmax_keys(f, first); },
          [&](const netsor::Rsqrt& f) { return rsqrt(f, first); },
          [&](const netsor::Transpose&) {
            return UncertainMatrix{first.value.transpose(), first.bound.transpose()};
          },
          [&](const netsor::Diagonal&) {
            return UncertainMatrix{first.value.diagonal().transpose(), first.bound.diagonal().transpose()};
          },
          [&](const netsor::Sum& f) { return sum(f, arguments); },
          [&](const netsor::Product&) { return product(arguments); },
      },
      function);
}

Directions push_table(const netsor::TableFunction& function,
                      const std::vector<const UncertainMatrix*>& arguments,
                      const std::vector<const Directions*>& changes, Index directions) {
  const UncertainMatrix value = analytic::apply(function, arguments);
  const Directions none = Directions::Zero(value.value.size(), directions);
  const Directions* first = changes.front();
  const Eigen::MatrixXd& argument = arguments.front()->value;
  const auto move = [&]() -> Directions {
    if (!first) return none;
    return (*first)(places(function, argument.rows(), argument.cols()), Eigen::all);
  };
  return std::visit(
      netsor::Overloaded{
          [&](const netsor::SoftmaxKeys&) { return first ? push_softmax(value.value, *first) : none; },
          [&](const netsor::Rsqrt&) -> Directions {
            if (!first) return none;
            const Eigen::VectorXd slope = -0.5 * value.value.reshaped().array().cube();
            return slope.asDiagonal() * *first;
          },
          [&](const netsor::Transpose&) { return move(); },
          [&](const netsor::Diagonal&) { return move(); },
          [&](const netsor::Sum& f) {
            Directions result = none;
            for (std::size_t k = 0; k < arguments.size(); ++k) {
              if (changes[k]) result += f.coefficients[k] * *changes[k];
            }
            return result;
          },
          [&](const netsor::Product&) { return push_product(arguments, changes, none); },
      },
      function);
}

}  // namespace nngpcheck::analytic
